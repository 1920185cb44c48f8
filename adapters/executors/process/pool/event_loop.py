"""Event loop of one thread: calls actions when a descriptor can be read, or when their time has come."""

import heapq
import os
import selectors
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count

Action = Callable[[], None]
MAX_WAIT_SECONDS = 3600.0
MAX_WAKE_UP_BYTES = 4096  # bytes of wake-ups that are read at once


class EventLoop:
    """Calls actions for readable descriptors and for times that have come, within `run_once` alone."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._schedule: list[tuple[float, int, Action]] = []
        self._order = count()
        self._is_closed = False
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)
        self.add_reader(self._woken, self._clear)

    def add_reader(self, descriptor: int, action: Action) -> None:
        """Call the action whenever the descriptor has something to read, or has reached its end."""
        self._selector.register(descriptor, selectors.EVENT_READ, action)

    def remove_reader(self, descriptor: int) -> None:
        """Forget the descriptor, if it is known. To be called before it is closed."""
        with suppress(KeyError):
            self._selector.unregister(descriptor)

    def call_later(self, seconds: float, action: Action) -> None:
        """Call the action once, so many seconds from now."""
        heapq.heappush(self._schedule, (time.monotonic() + seconds, next(self._order), action))

    def run_once(self, timeout: float) -> None:
        """Wait at most so many seconds, and call the actions that are due."""
        for key, _ in self._selector.select(min(timeout, self._until_due())):
            if self._selector.get_map().get(key.fd) is key:  # an action before it may have removed it
                key.data()
        while self._schedule and self._schedule[0][0] <= time.monotonic():
            heapq.heappop(self._schedule)[2]()

    def wake(self) -> None:
        """End the wait that goes on, or else the next one. From any thread."""
        if not self._is_closed:
            with suppress(OSError):  # the pipe is full, so a wake-up is there already
                os.write(self._waker, b"!")

    def close(self) -> None:
        """Release the descriptors of the loop."""
        self._is_closed = True
        self._selector.close()
        os.close(self._woken)
        os.close(self._waker)

    def _clear(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, MAX_WAKE_UP_BYTES)

    def _until_due(self) -> float:
        return max(0.0, self._schedule[0][0] - time.monotonic()) if self._schedule else MAX_WAIT_SECONDS


class Timer:
    """A timer for one action. It fires once after it was set; while it `is_set`, setting it again changes nothing."""

    def __init__(self, loop: EventLoop, action: Action) -> None:
        self._loop, self._action = loop, action
        self.is_set = False

    def set(self, seconds: float) -> None:
        """Call the action so many seconds from now, unless the timer is set already."""
        if not self.is_set:
            self.is_set = True
            self._loop.call_later(seconds, self._fire)

    def _fire(self) -> None:
        self.is_set = False
        self._action()
