"""One program for each peer. The programs run in the environment of the peers, and import nothing of the service."""
