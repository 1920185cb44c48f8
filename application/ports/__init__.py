"""What the application needs from outside: Protocols, one a file."""
