"""Limits on the requests that are processed or kept waiting at once."""
