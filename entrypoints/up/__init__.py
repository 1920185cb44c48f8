"""Everything on one machine: starts the other processes, keeps them running, ends them in order."""
