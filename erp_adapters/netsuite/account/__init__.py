"""A simulated NetSuite account, written from the vendor's documents: test code, of which the adapter knows nothing."""
