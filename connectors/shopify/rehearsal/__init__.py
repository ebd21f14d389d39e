"""The orders of a rehearsed shop: drawn from a seed, then written in the vendor's words, for the simulator alone."""
