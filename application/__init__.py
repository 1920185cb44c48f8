"""What people ask of the service, and what it needs from outside to answer."""
