"""Chaos: the service under a seeded schedule of failures, and a check of every promise against what was recorded."""
