"""The use cases of the service, one in each file."""
