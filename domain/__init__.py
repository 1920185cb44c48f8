"""Tasks, their lifecycle and its rules. Imports the standard library alone; reads no clock and no environment."""
