"""What a supervisor asks of the storage: one errand a file."""
