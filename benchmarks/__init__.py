"""Benchmarks: figures of the service beside references, on the same machine in the same minutes."""
