"""The courier: carries one errand at a time to the storage, on a thread of its own, so that nobody waits for it."""

import logging
import random
from collections import deque
from collections.abc import Callable
from threading import Condition, Event, Thread
from typing import Protocol, TypeVar

from application.errors import StorageConflict, StorageUnavailable

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
CONFLICTS, CONFLICT_PAUSE = 3, 0.05
log = logging.getLogger(__name__)


class Courier(Protocol):
    """Takes an errand, and brings its answer back to the thread that asks for answers."""

    @property
    def is_free(self) -> bool:
        """Whether an errand can be sent now."""
        ...

    def send(self, errand: Callable[[], T], then: Callable[[T], None]) -> None:
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


class ThreadCourier:
    """A Courier on a thread; `arrived` is called from that thread when there is an answer.

    It looks again in a quarter of a lease at the latest: who takes back what has lapsed waits no more than a whole one.
    """

    def __init__(self, arrived: Callable[[], None], lease: float = 30.0) -> None:
        self._arrived = arrived
        self._longest_pause = min(LONGEST_PAUSE, lease / 4)
        self._changed = Condition()
        self._errands: deque[Callable[[], Callable[[], None]]] = deque()
        self._answers: deque[Callable[[], None]] = deque()
        self._is_free = True
        self._closed = Event()
        self._thread = Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    @property
    def is_free(self) -> bool:
        return self._is_free

    def send(self, errand: Callable[[], T], then: Callable[[T], None]) -> None:
        def carried() -> Callable[[], None]:
            answer = errand()
            return lambda: then(answer)

        self._is_free = False
        with self._changed:
            self._errands.append(carried)
            self._changed.notify()

    def deliver(self) -> None:
        while self._answers:
            self._is_free = True
            self._answers.popleft()()

    def close(self) -> None:
        with self._changed:
            self._closed.set()
            self._changed.notify()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while errand := self._next():
            answer = self._carry(errand)
            if answer:
                self._answers.append(answer)
                self._arrived()

    def _next(self) -> Callable[[], Callable[[], None]] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._errands or self._closed.is_set())
            return None if self._closed.is_set() else self._errands.popleft()

    def _carry(self, errand: Callable[[], Callable[[], None]]) -> Callable[[], None] | None:
        pause, conflicts = FIRST_PAUSE, 0
        while not self._closed.is_set():
            try:
                return errand()
            except StorageConflict:
                conflicts += 1
                if conflicts == CONFLICTS:
                    return lambda: None
                self._closed.wait(random.uniform(0, CONFLICT_PAUSE))
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
