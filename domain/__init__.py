"""What a task is and what may happen to it. Standard library only; reads no clock and no environment."""
