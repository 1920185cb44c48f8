"""Requests that depend on how fast a client is get most of the threads and never all: others must be answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from werkzeug.exceptions import ServiceUnavailable

PATIENCE = 0.2
"""Seconds to wait for a place: those who came at the same moment are through by then."""


class Places:
    """So many of them, at least one."""

    def __init__(self, number: int, busy: str = "too many requests are still on their way in, try again") -> None:
        self._busy = busy
        self._free = BoundedSemaphore(max(1, number))

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Holds a place. ServiceUnavailable, with the time to come again, where none is free."""
        if not self._free.acquire(timeout=PATIENCE):
            raise ServiceUnavailable(self._busy, retry_after=1)
        try:
            yield
        finally:
            self._free.release()
