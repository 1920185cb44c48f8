"""The child's side: the process that runs the user's functions, one at a time."""
