"""The handler: runs tasks."""
