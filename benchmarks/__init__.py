"""How fast the service is: each figure beside one of something else on the same machine, in the same minutes."""
