"""Which run goes on where, and what has happened since it was last asked."""

from collections import deque
from collections.abc import Sequence
from itertools import count

from adapters.executors.process.place import Place
from application.ports.executor import Described, Event, Failed, Run, Succeeded, Unusable
from domain.failure import Failure
from domain.ids import Hold


class Dispatch:
    """Hands runs to places as these become ready, and gathers the events of all."""

    def __init__(self) -> None:
        self._ready: list[Place] = []
        self._waiting: deque[Run] = deque()
        self._running: dict[Hold, Place] = {}
        self._events: list[Event] = []
        self._numbers = count(1)
        self._functions: bytes | None = None
        self._was_usable = self._is_unusable = False

    @property
    def free(self) -> int:
        """Places that are ready and that no run waits for."""
        return len(self._ready)

    @property
    def has_news(self) -> bool:
        """Whether anything has happened."""
        return bool(self._events)

    def news(self) -> Sequence[Event]:
        """What has happened since the last time, in order."""
        events, self._events = self._events, []
        return events

    def start(self, run: Run) -> None:
        """Give it the place that was busy last: its caches are warm."""
        self._waiting.append(run)
        self._hand_out()

    def end(self, hold: Hold, failure: Failure) -> None:
        """Stop it wherever it is."""
        if place := self._running.get(hold):
            place.end(hold, failure)
        for run in [each for each in self._waiting if each.hold == hold]:
            self._waiting.remove(run)
            self.happened(Failed(hold, failure))

    def happened(self, event: Event) -> None:
        """To be told with the next news."""
        self._events.append(event)
        if isinstance(event, Succeeded | Failed):
            self._running.pop(event.hold, None)
        self._was_usable |= isinstance(event, Described)

    def ready(self, place: Place) -> None:
        """It can take a run."""
        self._ready.append(place)
        self._hand_out()

    def lost(self, place: Place) -> None:
        """It can't take one any more."""
        if place in self._ready:
            self._ready.remove(place)

    def gave_back(self, run: Run) -> None:
        """Its child died before it got there: it is the first for the next place."""
        self._running.pop(run.hold, None)
        self._waiting.appendleft(run)
        self._hand_out()

    def knows(self, functions: bytes) -> bool:
        """Whether they were described before; else they are now."""
        known, self._functions = self._functions == functions, functions
        return known

    def unusable(self, why: str) -> None:
        """Told once, and only where the functions never were usable: later it may be a passing trouble."""
        self._functions = None
        if not (self._was_usable or self._is_unusable):
            self._is_unusable = True
            self.happened(Unusable(why))

    def _hand_out(self) -> None:
        while self._waiting and self._ready:
            run, place = self._waiting.popleft(), self._ready.pop()
            self._running[run.hold] = place
            place.start(next(self._numbers), run)
