"""Writing responses: JSON, errors, CORS headers."""
