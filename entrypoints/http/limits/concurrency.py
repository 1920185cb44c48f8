"""So many requests are worked on at once as are good for the machine; who only waits steps aside for others."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from queue import SimpleQueue
from typing import Any

from flask import request

WsgiApp = Callable[[Any, Any], Any]
SUSPENSION = "flask_tasks.aside"


class ConcurrencyLimit:
    """A WSGI application in front of another one."""

    def __init__(self, app: WsgiApp, most: int) -> None:
        self._app = app
        # A semaphore in C: one in Python takes as long as the routing of a request.
        self._free: SimpleQueue[None] = SimpleQueue()
        self._aside = _Suspension(self._free)
        for _ in range(most):
            self._free.put(None)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        environ[SUSPENSION] = self._aside
        self._free.get()
        try:
            return self._app(environ, start_response)
        finally:
            self._free.put(None)


class _Suspension:
    """Gives the place of a request away, and waits for another one at the end."""

    def __init__(self, free: "SimpleQueue[None]") -> None:
        self._free = free

    def __enter__(self) -> None:
        self._free.put(None)

    def __exit__(self, *_: object) -> None:
        self._free.get()


def suspended() -> AbstractContextManager[None]:
    """While its block lasts, others are let through in the place of the present request, which only waits."""
    letting_through: AbstractContextManager[None] = request.environ[SUSPENSION]
    return letting_through
