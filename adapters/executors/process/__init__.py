"""An executor over child processes: whatever a function does, it does it to a process of its own."""
