"""The ports: Protocols for all that the application needs from outside, one in each file."""
