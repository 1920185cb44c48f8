"""A background runner on a thread of its own."""

import logging
import random
from collections import deque
from collections.abc import Callable
from threading import Condition, Event, Thread
from typing import TypeVar

from application.errors import StorageConflict, StorageUnavailable
from application.outages import described

T = TypeVar("T")
Delivery = Callable[[], None]

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.05, 2.0
"""Pause after a call that met an unavailable storage; it doubles up to the maximum."""
MAX_CONFLICTS = 3
"""Conflicts after which a call is given up."""
MAX_CONFLICT_PAUSE_SECONDS = 0.05
MAX_CLOSE_SECONDS = 1.0
"""How long `close` waits for the thread to end."""

log = logging.getLogger(__name__)


class ThreadRunner:
    """Makes calls on a daemon thread.

    - `wake_owner`: called from that thread when a result can be delivered.
    - `lease`: seconds of a handler's lease. A pause lasts a quarter of it at most: a rescuer that has seen the storage
      answer waits one lease before it takes anything, and the handler must have renewed by then.
    """

    def __init__(self, wake_owner: Callable[[], None], lease: float = 30.0) -> None:
        self._wake_owner = wake_owner
        self._max_pause = min(MAX_PAUSE_SECONDS, lease / 4)
        self._changed = Condition()
        self._calls: deque[Callable[[], Delivery]] = deque()
        self._deliveries: deque[Delivery] = deque()
        self._is_idle = True
        self._closed = Event()
        self._thread = Thread(target=self._run, name="background-runner", daemon=True)
        self._thread.start()

    @property
    def is_idle(self) -> bool:
        return self._is_idle

    def submit(self, call: Callable[[], T], on_result: Callable[[T], None]) -> None:
        def call_once() -> Delivery:
            result = call()
            return lambda: on_result(result)

        self._is_idle = False
        with self._changed:
            self._calls.append(call_once)
            self._changed.notify()

    def deliver_result(self) -> None:
        while self._deliveries:
            self._is_idle = True
            self._deliveries.popleft()()

    def close(self) -> None:
        with self._changed:
            self._closed.set()
            self._changed.notify()
        self._thread.join(MAX_CLOSE_SECONDS)

    def _run(self) -> None:
        while call := self._next_call():
            if delivery := self._call_until_done(call):
                self._deliveries.append(delivery)
                self._wake_owner()

    def _next_call(self) -> Callable[[], Delivery] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._calls or self._closed.is_set())
            return None if self._closed.is_set() else self._calls.popleft()

    def _call_until_done(self, call: Callable[[], Delivery]) -> Delivery | None:
        """Repeat the call until it succeeds or is given up; None once the runner is closed."""
        pause, conflicts = FIRST_PAUSE_SECONDS, 0
        while not self._closed.is_set():
            try:
                return call()
            except StorageConflict:
                conflicts += 1
                if conflicts == MAX_CONFLICTS:
                    return _deliver_nothing
                self._closed.wait(random.uniform(0, MAX_CONFLICT_PAUSE_SECONDS))
                continue
            except StorageUnavailable as error:
                log.warning("the database is away, trying again in %.2f s: %s", pause, described(error))
            except Exception:
                log.exception("an operation failed and was given up")
                self._closed.wait(self._max_pause)
                return _deliver_nothing
            self._closed.wait(pause)
            pause = min(pause * 2, self._max_pause)
        return None


def _deliver_nothing() -> None:
    """End a call that was given up."""
