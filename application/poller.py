"""A poller: a thread that polls soon after each hint, and once a second without one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from random import Random
from threading import Event, Thread

from application.errors import StorageUnavailable
from application.ports.clock import Clock

POLL_SECONDS = 1.0
"""Seconds between two polls without a hint."""
MAX_BURST_POLLS = 5
"""The polls without gaps after a pause."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class PollGaps:
    """The gaps between polls: none after a pause, and `seconds` on average under constant hints.

    `per_poll`: the smallest ratio of a gap to the poll before it, so that polling leaves time for other work.
    """

    seconds: float = 0.01
    per_poll: float = 2
    _due: float = -inf

    def after(self, now: float, took: float) -> float:
        """Seconds until the next poll, after one that has ended now and took so many seconds."""
        self._due = max(self._due + self.seconds, now - (MAX_BURST_POLLS - 1) * self.seconds)
        return min(max(self._due - now, self.per_poll * took), POLL_SECONDS)


class Poller:
    """Calls `poll` in a thread of its own. A poll that fails is repeated."""

    def __init__(self, name: str, poll: Callable[[], None], clock: Clock, gaps: PollGaps) -> None:
        self._name = name
        self._poll = poll
        self._clock = clock
        self._gaps = gaps
        # Not the common one, of which a property test notices that another thread draws from it.
        self._random = Random()
        self._hint = Event()
        self._closed = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread, if it has not started. Not thread-safe."""
        if not self._thread:
            self._thread = Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def hint(self) -> None:
        """Let a poll begin soon."""
        self._hint.set()

    def close(self) -> None:
        """Let no other poll begin, and wait for the end of the present one."""
        self._closed.set()
        self._hint.set()
        if self._thread:
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._hint.wait(POLL_SECONDS * self._random.uniform(0.75, 1.25))
            self._hint.clear()
            began = self._clock.monotonic()
            self._try_to_poll()
            now = self._clock.monotonic()
            self._closed.wait(self._gaps.after(now, now - began))

    def _try_to_poll(self) -> None:
        try:
            self._poll()
        except StorageUnavailable:
            return  # the next poll serves the subscribers
        except Exception:
            log.exception("%s: a poll failed, and is repeated", self._name)
