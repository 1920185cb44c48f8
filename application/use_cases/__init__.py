"""What people ask of the service: one request a file, carried out by one verb."""
