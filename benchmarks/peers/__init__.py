"""Other systems that do what ours does, each at its own best settings, on the same server in the same minutes."""
