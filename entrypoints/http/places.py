"""Places for requests that take long or much: so many of them at once, others are asked to come again."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from werkzeug.exceptions import ServiceUnavailable

PATIENCE = 0.2
"""Seconds to wait for a place: those who came at the same moment are through by then."""


class Places:
    """So many of them, at least one, each waited for with some patience, in seconds."""

    def __init__(
        self,
        number: int,
        busy: str = "too many requests are still on their way in, try again",
        patience: float = PATIENCE,
    ) -> None:
        self._busy = busy
        self._patience = patience
        self._free = BoundedSemaphore(max(1, number))

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Holds a place. ServiceUnavailable, with the time to come again, where none is free."""
        if not self._free.acquire(timeout=self._patience):
            raise ServiceUnavailable(self._busy, retry_after=1)
        try:
            yield
        finally:
            self._free.release()
