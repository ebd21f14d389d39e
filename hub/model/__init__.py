"""What things are: money, orders, facts, events, documents, entries. Frozen types and pure arithmetic."""
