"""Which run goes on where, and what has happened since anybody asked."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from operator import attrgetter

from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.durations import Durations
from adapters.executors.process.pool.slot import Slot
from application.ports.executor import Described, Event, Failed, Run, Span, Unusable
from domain.failure import Failure
from domain.ids import Hold

MAX_IMPORT_DEATHS = 3
"""So many processes that died while they imported the functions are no accident."""


class Dispatcher:
    """Hands runs to places that have room, and gathers the events of all places. It is their owner."""

    def __init__(self, replace: Callable[[Slot], None]) -> None:
        self._replace = replace
        self._idle: dict[Slot, None] = {}
        self._quick: set[Slot] = set()
        self._sharing: set[Slot] = set()
        self._rooms: dict[Slot, int] = {}
        self._room = 0
        self._waiting: deque[Run] = deque()
        self._running: dict[Hold, Slot] = {}
        self._events: list[Event] = []
        self._numbers = count(1)
        self._pace = Durations()
        self._functions: bytes | None = None
        self._is_handing_out = self._was_usable = self._is_unusable = False
        self._deaths = 0

    @property
    def free(self) -> int:
        """How many runs can be started now: one in an idle place, more behind others that are short."""
        return 0 if self._waiting else self._room

    @property
    def has_news(self) -> bool:
        """Whether anything has happened."""
        return bool(self._events)

    def news(self) -> Sequence[Event]:
        """What has happened since the last time, in order."""
        events, self._events = self._events, []
        return events

    def start(self, run: Run) -> None:
        """Where nothing goes on if there is such a place, else where it is likely to be begun first."""
        self._waiting.append(run)
        self._hand_out()

    def end(self, hold: Hold, failure: Failure) -> None:
        """Stop it wherever it is."""
        if place := self._running.get(hold):
            place.end(hold, failure)
        for run in [each for each in self._waiting if each.hold == hold]:
            self._waiting.remove(run)
            self.happened(Failed(hold, failure))

    def even_out(self) -> None:
        """Where nothing goes on, go on with what stands behind others."""
        while self._idle and self._sharing and not self._waiting:
            self._sharing.pop().share()

    def recall(self) -> Sequence[Hold]:
        """Give up what no place has room for."""
        holds = [run.hold for run in self._waiting]
        self._waiting.clear()
        return holds

    def happened(self, event: Event) -> None:
        """To be told with the next news."""
        self._events.append(event)
        if isinstance(event, Described):
            self._was_usable, self._deaths = True, 0

    def ended(self, run: Run, event: Event, span: Span | None) -> None:
        """The run is over."""
        del self._running[run.hold]
        self._events.append(event)
        if span is not None:
            self._pace.learn(run.type, span.seconds)

    def gave_back(self, runs: Sequence[Run]) -> None:
        """They are the first for the next room."""
        for run in reversed(runs):
            self._running.pop(run.hold, None)
            self._waiting.appendleft(run)
        self._hand_out()

    def changed(self, place: Slot) -> None:
        """Know its room."""
        room = place.room
        self._room += room - self._rooms.pop(place, 0)
        self._idle.pop(place, None)
        self._quick.discard(place)
        self._sharing.discard(place)
        if place.may_share:
            self._sharing.add(place)
        if room:
            self._rooms[place] = room
            if place.is_idle:
                self._idle[place] = None
            else:
                self._quick.add(place)
        if self._waiting:
            self._hand_out()

    def died(self, place: Slot, how: str) -> None:
        """Have it replaced."""
        if not place.was_ready:
            self._functions = None  # it may have been asked for them
            self._deaths += 1
            if self._was_usable or self._deaths >= MAX_IMPORT_DEATHS:
                self.unusable(f"the tasks cannot be imported: the process that tried {how}")
        self._replace(place)

    def knows(self, functions: bytes) -> bool:
        """Whether they were asked for before; from now on they were."""
        known, self._functions = self._functions == functions, functions
        return known

    def unusable(self, why: str) -> None:
        """Told once, and not if they ever were usable: then it may pass, and is tried again."""
        self._functions = None
        if self._was_usable:
            logging.getLogger(__name__).error(why)
        elif not self._is_unusable:
            self._is_unusable = True
            self._events.append(Unusable(why))

    def _hand_out(self) -> None:
        if self._is_handing_out:
            return  # whoever does sees what has changed by that
        self._is_handing_out = True
        try:
            while self._waiting and (self._idle or self._quick):
                place = next(reversed(self._idle)) if self._idle else min(self._quick, key=attrgetter("seconds"))
                run = self._waiting.popleft()
                self._running[run.hold] = place
                place.start(DispatchedRun(next(self._numbers), run, self._pace.expected(run.type)))
        finally:
            self._is_handing_out = False
