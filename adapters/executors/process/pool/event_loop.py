"""Waiting for whatever comes first: something to read, a moment, or somebody's call."""

import heapq
import os
import selectors
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count

Action = Callable[[], None]
MAX_WAIT_SECONDS = 3600.0


class EventLoop:
    """Actions for descriptors that can be read, and for moments. Nothing happens but in `turn`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._agenda: list[tuple[float, int, Action]] = []
        self._order = count()
        self._is_closed = False
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)
        self.listen(self._woken, self._clear)

    def listen(self, descriptor: int, action: Action) -> None:
        """From now on, do it when there is something to read, or will never be."""
        self._selector.register(descriptor, selectors.EVENT_READ, action)

    def ignore(self, descriptor: int) -> None:
        """After: not listened to. Once is enough, and before it is closed."""
        with suppress(KeyError):
            self._selector.unregister(descriptor)

    def later(self, seconds: float, action: Action) -> None:
        """Do it so many seconds from now."""
        heapq.heappush(self._agenda, (time.monotonic() + seconds, next(self._order), action))

    def turn(self, timeout: float) -> None:
        """Wait at most so many seconds, and do what there is to do."""
        for key, _ in self._selector.select(min(timeout, self._until_due())):
            if self._selector.get_map().get(key.fd) is key:  # not ignored by what was done before it in this turn
                key.data()
        while self._agenda and self._agenda[0][0] <= time.monotonic():
            heapq.heappop(self._agenda)[2]()

    def wake(self) -> None:
        """End the wait, if there will be another. From any thread."""
        if not self._is_closed:
            with suppress(OSError):  # full: it is woken anyway
                os.write(self._waker, b"!")

    def close(self) -> None:
        """Listen to nothing any more."""
        self._is_closed = True
        self._selector.close()
        os.close(self._woken)
        os.close(self._waker)

    def _clear(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, 4096)

    def _until_due(self) -> float:
        return max(0.0, self._agenda[0][0] - time.monotonic()) if self._agenda else MAX_WAIT_SECONDS
