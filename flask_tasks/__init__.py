"""What the author of a task imports, `task` and what goes on while it runs, and `Client` for whoever submits tasks."""

from typing import TYPE_CHECKING

from flask_tasks.decorator import task
from flask_tasks.errors import Discard, Retry
from flask_tasks.progress import Progress

if TYPE_CHECKING:
    from flask_tasks.client import Client, ClientError, TaskFailed
else:

    def __getattr__(name):
        # Processes that run functions import this too, and few functions need a client: it comes when it is asked for.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from flask_tasks import client

        return getattr(client, name)


__all__ = ["Client", "ClientError", "Discard", "Progress", "Retry", "TaskFailed", "task"]
