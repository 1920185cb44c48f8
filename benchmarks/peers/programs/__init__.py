"""One program a peer. They run in the environment of the peers, and know nothing of ours."""
