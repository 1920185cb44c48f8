"""The whole service on one machine: start the other processes, restart those that end, stop all in order."""
