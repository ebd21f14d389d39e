"""Rehearsals: the demo and the benchmarks, on simulated systems loaded through the registry."""
