"""The public package: `task`, `Progress`, `Retry` and `Discard` for authors, `Client` and `reference` for clients."""

from typing import TYPE_CHECKING

from flask_tasks.decorator import task
from flask_tasks.errors import Discard, Retry
from flask_tasks.progress import Progress

if TYPE_CHECKING:
    from flask_tasks.client import Client, ClientError, TaskFailed, reference
else:

    def __getattr__(name):
        # The client is imported on demand: processes that run functions import this package, and few need a client.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from flask_tasks import client

        return getattr(client, name)


__all__ = ["Client", "ClientError", "Discard", "Progress", "Retry", "TaskFailed", "reference", "task"]
