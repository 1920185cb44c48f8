"""Checks of a running service: pure functions from what was seen to findings, each with its cure."""
