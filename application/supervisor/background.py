"""The courier: carries one errand at a time to the storage, on a thread of its own, so that nobody waits for it."""

import logging
import random
from collections import deque
from collections.abc import Callable
from threading import Condition, Event, Thread
from typing import Protocol, TypeVar

from application.errors import StorageConflict, StorageUnavailable

T = TypeVar("T")
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.05, 2.0
MAX_CONFLICTS, MAX_CONFLICT_PAUSE_SECONDS = 3, 0.05
log = logging.getLogger(__name__)


class BackgroundRunner(Protocol):
    """Takes an errand, and brings its answer back to the thread that asks for answers."""

    @property
    def is_idle(self) -> bool:
        """Whether an errand can be sent now."""
        ...

    def send(self, call: Callable[[], T], then: Callable[[T], None]) -> None:
        """Before: free. After: the errand is carried out, again and again while the storage is away.

        One that fails for another reason, or meets the same lock again and again, is given up: `then` is not called,
        whoever sent it is free to send it again, and the others have their turn.
        """
        ...

    def deliver(self) -> None:
        """Call `then` with the answer, if one has come."""
        ...

    def close(self) -> None:
        """Give up what cannot be delivered."""
        ...


class ThreadRunner:
    """A BackgroundRunner on a thread; `arrived` is called from that thread when there is an answer.

    It looks again in a quarter of a lease at the latest: who takes back what has lapsed waits no more than a whole one.
    """

    def __init__(self, arrived: Callable[[], None], lease: float = 30.0) -> None:
        self._arrived = arrived
        self._longest_pause = min(MAX_PAUSE_SECONDS, lease / 4)
        self._changed = Condition()
        self._calls: deque[Callable[[], Callable[[], None]]] = deque()
        self._answers: deque[Callable[[], None]] = deque()
        self._is_idle = True
        self._closed = Event()
        self._thread = Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    @property
    def is_idle(self) -> bool:
        return self._is_idle

    def send(self, call: Callable[[], T], then: Callable[[T], None]) -> None:
        def carried() -> Callable[[], None]:
            answer = call()
            return lambda: then(answer)

        self._is_idle = False
        with self._changed:
            self._calls.append(carried)
            self._changed.notify()

    def deliver(self) -> None:
        while self._answers:
            self._is_idle = True
            self._answers.popleft()()

    def close(self) -> None:
        with self._changed:
            self._closed.set()
            self._changed.notify()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while call := self._next():
            answer = self._carry(call)
            if answer:
                self._answers.append(answer)
                self._arrived()

    def _next(self) -> Callable[[], Callable[[], None]] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._calls or self._closed.is_set())
            return None if self._closed.is_set() else self._calls.popleft()

    def _carry(self, call: Callable[[], Callable[[], None]]) -> Callable[[], None] | None:
        pause, conflicts = FIRST_PAUSE_SECONDS, 0
        while not self._closed.is_set():
            try:
                return call()
            except StorageConflict:
                conflicts += 1
                if conflicts == MAX_CONFLICTS:
                    return lambda: None
                self._closed.wait(random.uniform(0, MAX_CONFLICT_PAUSE_SECONDS))
                continue
            except StorageUnavailable:
                log.warning("the database is away, trying again in %.2f s", pause)
            except Exception:
                log.exception("an errand failed, and is given up")
                self._closed.wait(self._longest_pause)
                return lambda: None
            self._closed.wait(pause)
            pause = min(pause * 2, self._longest_pause)
        return None
