"""Metrics for Prometheus: their catalogue, the samples of each process, and the text that a monitor reads."""
