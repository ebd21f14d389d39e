"""Suites that every plugin of the registry passes, against the simulator of its system, over real sockets.

A suite asks for a system's abilities and never for its name. What it needs of a system beyond the ports is the object
BENCH that the system's simulator module exports: bench.py says what that is.
"""
