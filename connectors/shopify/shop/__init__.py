"""A rehearsed shop as a server: GraphQL, webhooks, bulk operations, limits and faults, over virtual time."""
