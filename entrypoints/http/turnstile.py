"""So many requests are worked on at once as are good for the machine; who only waits steps aside for others."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import BoundedSemaphore
from typing import Any

from flask import request

WsgiApp = Callable[[Any, Any], Any]
ASIDE = "flask_tasks.aside"


class Turnstile:
    """A WSGI application in front of another one."""

    def __init__(self, app: WsgiApp, most: int) -> None:
        self._app = app
        self._free = BoundedSemaphore(most)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        environ[ASIDE] = self._aside
        with self._free:
            return self._app(environ, start_response)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        self._free.release()
        try:
            yield
        finally:
            self._free.acquire()


def aside() -> AbstractContextManager[None]:
    """While its block lasts, others are let through in the place of the present request, which only waits."""
    letting_through: AbstractContextManager[None] = request.environ[ASIDE]()
    return letting_through
