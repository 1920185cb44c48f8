"""The user's functions: found, described, handed their arguments, and read for their outcome."""
