"""Limit on requests that are processed at once. A request that only waits suspends its own slot meanwhile."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from queue import SimpleQueue
from typing import Any

from flask import request

WsgiApp = Callable[[Any, Any], Any]
SUSPENSION = "flask_tasks.suspension"
"""Key of the suspension in the WSGI environment of a request."""


class ConcurrencyLimit:
    """WSGI middleware that lets `max_requests` requests run at once and queues the others."""

    def __init__(self, app: WsgiApp, max_requests: int) -> None:
        self._app = app
        # SimpleQueue is a semaphore in C; threading.Semaphore takes as long as the routing of a request.
        self._free: SimpleQueue[None] = SimpleQueue()
        self._suspension = _Suspension(self._free)
        for _ in range(max_requests):
            self._free.put(None)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        environ[SUSPENSION] = self._suspension
        self._free.get()
        try:
            return self._app(environ, start_response)
        finally:
            self._free.put(None)


class _Suspension:
    """Frees the slot of a request, and takes a slot again at the end."""

    def __init__(self, free: "SimpleQueue[None]") -> None:
        self._free = free

    def __enter__(self) -> None:
        self._free.put(None)

    def __exit__(self, *_: object) -> None:
        self._free.get()


def suspended() -> AbstractContextManager[None]:
    """Lend the slot of the current request to other requests while the block, which only waits, is executed."""
    suspension: AbstractContextManager[None] = request.environ[SUSPENSION]
    return suspension
