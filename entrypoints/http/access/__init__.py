"""The access that operations and pages need, and that the sender of the current request has."""
