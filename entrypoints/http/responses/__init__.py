"""Responses: JSON, errors and CORS headers."""
