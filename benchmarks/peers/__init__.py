"""Comparable systems, each at its own best settings, on the same server in the same minutes."""
