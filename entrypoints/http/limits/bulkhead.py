"""Limit on concurrent requests of one kind: requests beyond the limit are answered with 503."""

from queue import Empty, SimpleQueue

from werkzeug.exceptions import ServiceUnavailable

MAX_WAIT_SECONDS = 0.2
"""Seconds to wait for a slot. Requests that arrive in the same moment share a slot in turn within this time."""


class Bulkhead:
    """A number of slots, at least one. `with bulkhead:` holds a slot.

    - `message`: message of the error if no slot is free.
    - `max_wait`: seconds to wait for a free slot.
    """

    def __init__(self, slots: int, message: str, max_wait: float = MAX_WAIT_SECONDS) -> None:
        self._message = message
        self._max_wait = max_wait
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(max(1, slots)):
            self._free.put(None)

    def __enter__(self) -> None:
        """Take a slot. Raises ServiceUnavailable, with Retry-After: no slot is free."""
        try:
            self._free.get(timeout=self._max_wait)
        except Empty:
            raise ServiceUnavailable(self._message, retry_after=1) from None

    def __exit__(self, *_: object) -> None:
        """Free the slot."""
        self._free.put(None)
