"""Limit on requests that are processed at once. A request that only waits suspends its own slot meanwhile."""

from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue
from typing import Any

from flask import request

from entrypoints.http.flask_app import WsgiApp

SUSPENSION, SLOT = "flask_tasks.suspension", "flask_tasks.slot"
"""Keys of the suspension and of a further slot in the WSGI environment of a request."""
UNLIMITED_PATHS = frozenset({"/metrics"})
"""Paths that are served at once, also while all slots are taken by requests that wait for an absent database."""


class ConcurrencyLimit:
    """WSGI middleware that lets `max_requests` requests run at once and queues the others."""

    def __init__(self, app: WsgiApp, max_requests: int) -> None:
        self._app = app
        # SimpleQueue is a semaphore in C; threading.Semaphore takes as long as the routing of a request.
        self._free: SimpleQueue[None] = SimpleQueue()
        self._suspension, self._slot = _Suspension(self._free), _Slot(self._free)
        for _ in range(max_requests):
            self._free.put(None)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ.get("PATH_INFO") in UNLIMITED_PATHS:
            return self._app(environ, start_response)
        environ[SUSPENSION], environ[SLOT] = self._suspension, self._slot
        self._free.get()
        try:
            return self._app(environ, start_response)
        finally:
            self._free.put(None)


class _Slot:
    """Takes a slot, and frees it at the end."""

    def __init__(self, free: "SimpleQueue[None]") -> None:
        self._free = free

    def __enter__(self) -> None:
        self._free.get()

    def __exit__(self, *_: object) -> None:
        self._free.put(None)


class _Suspension:
    """Frees the slot of a request, and takes a slot again at the end."""

    def __init__(self, free: "SimpleQueue[None]") -> None:
        self._free = free

    def __enter__(self) -> None:
        self._free.put(None)

    def __exit__(self, *_: object) -> None:
        self._free.get()


def further_slot() -> AbstractContextManager[None]:
    """A slot for work of the current request that goes on while its answer is sent, when it has none any more."""
    slot: AbstractContextManager[None] = request.environ[SLOT]
    return slot


def suspended() -> AbstractContextManager[None]:
    """Lend the slot of the current request to other requests while the block, which only waits, is executed."""
    # A request that is not limited has no slot.
    suspension: AbstractContextManager[None] = request.environ.get(SUSPENSION) or nullcontext()
    return suspension
