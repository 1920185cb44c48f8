"""Who sends a request: API keys, tokens of an identity provider, and sessions of browsers."""
