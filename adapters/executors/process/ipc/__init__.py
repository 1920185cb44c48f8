"""What a supervisor and its children exchange: packets, frames, a shared page, a log file in memory."""
