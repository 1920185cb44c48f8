"""Chaos: run the service under a seeded schedule of faults, and check every promise against the records."""
