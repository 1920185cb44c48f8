"""The user's functions: find, describe and run them, and encode their results and failures."""
