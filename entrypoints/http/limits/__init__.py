"""How many requests are worked on, kept waiting, or refused."""
