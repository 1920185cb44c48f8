"""Waiting for tasks to change: one look at the storage serves all who wait in this process, however many they are."""

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from application.errors import StorageUnavailable
from application.ports.clock import Clock
from application.ports.tasks import UNKNOWN, Version
from application.ports.wake_up import Listener, Topic
from application.ports.work import Begin
from domain.ids import TaskId

POLL = 1.0
"""Seconds between two looks where nothing is heard."""
PAUSE = 0.01
"""Seconds between two looks however much is heard."""
SHARE = 9
"""How many times longer than a look the pause after it is at least: looking takes a tenth of the time at most."""
log = logging.getLogger(__name__)


class Watcher:
    """Somebody who waits for one task. `seen` is the version that is known already."""

    def __init__(self, id: TaskId) -> None:
        self.id = id
        self.seen = UNKNOWN
        self.woken = Event()
        self.is_dismissed = False

    def wait(self, seen: Version, seconds: float) -> bool:
        """Whether the task may be another than that version; False after so many seconds, or when all are to go."""
        self.seen = seen
        has_changed = self.woken.wait(seconds)
        self.woken.clear()
        return has_changed and not self.is_dismissed


class Changes:
    """Nothing runs and nobody listens until the first one waits."""

    def __init__(self, begin: Begin, clock: Clock, listener: Listener, most: int) -> None:
        self._begin = begin
        self._clock = clock
        self._listener = listener
        self._most = most
        self._watchers: set[Watcher] = set()
        self._lock = Lock()
        self._hint = Event()
        self._closed = Event()
        self._thread: Thread | None = None

    @contextmanager
    def watching(self, id: TaskId) -> Iterator[Watcher | None]:
        """A watcher of that task; None where too many wait already, or nobody is to wait any more."""
        watcher = self._admitted(id)
        try:
            yield watcher
        finally:
            if watcher:
                with self._lock:
                    self._watchers.discard(watcher)

    def close(self) -> None:
        """All who wait are sent away with what they know, and nobody waits any more."""
        self._closed.set()
        with self._lock:
            for watcher in self._watchers:
                watcher.is_dismissed = True
                watcher.woken.set()
        self._hint.set()
        self._listener.close()
        if self._thread:
            self._thread.join(timeout=2)

    def _admitted(self, id: TaskId) -> Watcher | None:
        with self._lock:
            if self._closed.is_set() or len(self._watchers) >= self._most:
                return None
            self._watchers.add(watcher := Watcher(id))
            if self._thread is None:
                self._listener.listen(lambda _: self._hint.set(), (Topic.CHANGED,))
                self._thread = Thread(target=self._keep_looking, name="changes", daemon=True)
                self._thread.start()
        return watcher

    def _keep_looking(self) -> None:
        while not self._closed.is_set():
            self._hint.wait(POLL * random.uniform(0.75, 1.25))
            self._hint.clear()
            began = self._clock.monotonic()
            self._try_to_look()
            took = self._clock.monotonic() - began
            self._closed.wait(min(max(PAUSE, SHARE * took), POLL))

    def _try_to_look(self) -> None:
        try:
            self._look()
        except StorageUnavailable:
            return  # who waits is served by the next look
        except Exception:
            log.exception("whether tasks have changed cannot be told")

    def _look(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        if not watchers:
            return
        with self._begin() as work:
            versions = work.tasks.versions({watcher.id for watcher in watchers})
        for watcher in watchers:
            # Who does not know a version yet may have seen what was there a moment ago.
            if watcher.seen == UNKNOWN or versions.get(watcher.id, UNKNOWN) != watcher.seen:
                watcher.woken.set()
