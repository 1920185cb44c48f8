"""The supervisor and its children exchange these: packets, frames, a shared page, a log file in memory."""
