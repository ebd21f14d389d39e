"""Documents as NetSuite's records, and NetSuite's records and rows read."""
