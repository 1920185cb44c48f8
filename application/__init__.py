"""The use cases of the service, and the ports through which they reach storage, clock and other services."""
