"""The hub's memory: tables, migrations and queries; takes and returns model types."""
