"""What the author of a task imports: `task` marks a function; the rest is for what goes on while it runs."""

from flask_tasks.decorator import task
from flask_tasks.errors import Discard, Retry
from flask_tasks.progress import Progress

__all__ = ["Discard", "Progress", "Retry", "task"]
