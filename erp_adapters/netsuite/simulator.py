"""The simulated NetSuite account, for tests and rehearsals."""
