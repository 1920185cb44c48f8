"""An executor over child processes: a function can harm no process but its own."""
