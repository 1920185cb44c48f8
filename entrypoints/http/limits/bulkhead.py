"""Places for requests that take long or much: so many of them at once, others are asked to come again."""

from queue import Empty, SimpleQueue

from werkzeug.exceptions import ServiceUnavailable

MAX_WAIT_SECONDS = 0.2
"""Seconds to wait for a place: those who came at the same moment are through by then."""


class Bulkhead:
    """So many of them, at least one, each waited for with some patience, in seconds. `with places:` holds one."""

    def __init__(
        self,
        number: int,
        busy: str = "too many request bodies are being received: try again",
        patience: float = MAX_WAIT_SECONDS,
    ) -> None:
        self._busy = busy
        self._patience = patience
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(max(1, number)):
            self._free.put(None)

    def __enter__(self) -> None:
        """Takes a place. ServiceUnavailable, with the time to come again, where none is free."""
        try:
            self._free.get(timeout=self._patience)
        except Empty:
            raise ServiceUnavailable(self._busy, retry_after=1) from None

    def __exit__(self, *_: object) -> None:
        """Leaves it to others."""
        self._free.put(None)
