"""The supervisor's operations on the storage: one a file."""
