"""Read-only queries for people's eyes: plain frozen rows, portable SQL, a bound on every list."""
