"""Dispatching: which run is started in which slot, and the events of all slots until they are asked for."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from operator import attrgetter

from adapters.executors.functions.failures import crashed
from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.durations import Durations
from adapters.executors.process.pool.leftovers import Leftovers
from adapters.executors.process.pool.slot import Slot
from adapters.executors.process.pool.unbegun_deaths import MAX_UNBEGUN_DEATHS, UnbegunDeaths
from application.ports.executor import Described, Event, Failed, Run, Span, Unusable
from domain.failure import Failure
from domain.ids import Hold, TypeName

OnSlot = Callable[[Slot], None]
MAX_IMPORT_DEATHS = 3
"""Children that may die in a row while they import the functions before these count as unusable."""


class Dispatcher:
    """Starts runs in slots that have capacity, and collects the events of all slots. It is their listener.

    - `replace`: called with each slot that has died.
    - `prepare`: called with each slot that will soon run nothing more.
    - `succeed`: called with each slot that runs nothing more, though its child may still live.
    """

    def __init__(
        self, replace: OnSlot, prepare: OnSlot = lambda slot: None, succeed: OnSlot = lambda slot: None
    ) -> None:
        self._replace, self._prepare, self._succeed = replace, prepare, succeed
        self._leftovers = Leftovers()
        self._idle: dict[Slot, None] = {}
        self._busy: set[Slot] = set()
        self._overloaded: set[Slot] = set()
        self._capacities: dict[Slot, int] = {}
        self._capacity = 0
        self._waiting: deque[Run] = deque()
        self._slots: dict[Hold, Slot] = {}
        self._events: list[Event] = []
        self._numbers = count(1)
        self._durations = Durations()
        self._unbegun_deaths = UnbegunDeaths()
        self._version: bytes | None = None
        self._is_dispatching = self._was_usable = self._is_unusable = False
        self._import_deaths = 0

    @property
    def free(self) -> int:
        """How many runs can be started now: one in an idle slot, more behind others that are short."""
        return 0 if self._waiting else self._capacity

    @property
    def has_events(self) -> bool:
        """Whether there are events to take."""
        return bool(self._events)

    def take_events(self) -> Sequence[Event]:
        """Answer the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    def start(self, run: Run) -> None:
        """Start the run in an idle slot if there is one, else in the slot that is likely to begin it first."""
        self._waiting.append(run)
        self._dispatch()

    def end(self, hold: Hold, failure: Failure) -> None:
        """Stop the run, in its slot or before it has one."""
        if slot := self._slots.get(hold):
            slot.end(hold, failure)
        for run in [each for each in self._waiting if each.hold == hold]:
            self._waiting.remove(run)
            self.on_event(Failed(hold, failure))

    def rebalance(self) -> None:
        """Move runs that stand behind others to idle slots."""
        for _ in range(len(self._overloaded)):  # and no further: children that receive nothing get them back and forth
            if self._idle and self._overloaded and not self._waiting:
                self._overloaded.pop().take_back()

    def recall(self) -> Sequence[Hold]:
        """Give up the runs for which no slot has capacity."""
        holds = [run.hold for run in self._waiting]
        self._waiting.clear()
        return holds

    def on_event(self, event: Event) -> None:
        """Keep the event until it is taken."""
        self._events.append(event)
        if isinstance(event, Described):
            self._was_usable, self._import_deaths = True, 0

    def on_ended(self, run: Run, event: Event, span: Span | None) -> None:
        """Forget the run, keep its event, and learn from how long it took."""
        del self._slots[run.hold]
        self._events.append(event)
        if span is not None:
            self._durations.learn(run.type, span.seconds)
            self._leftovers.expected.discard(run.type)

    def on_returned(self, runs: Sequence[Run]) -> None:
        """Start these runs before any others."""
        for run in reversed(runs):
            self._slots.pop(run.hold, None)
            self._waiting.appendleft(run)
        self._dispatch()

    def on_unbegun(self, runs: Sequence[Run], how: str) -> None:
        """Start these runs again, but for those with which so many children have died that they are to blame."""
        crashes = [run for run in runs if self._unbegun_deaths.are_too_many(run.hold.task)]
        for run in crashes:
            reason = f"{MAX_UNBEGUN_DEATHS} processes ended before they began to run it: the last one {how}"
            self.on_ended(run, Failed(run.hold, crashed(reason)), None)
        self.on_returned([run for run in runs if run not in crashes])

    def on_capacity_changed(self, slot: Slot) -> None:
        """Note what the slot can take now, and start waiting runs."""
        capacity = slot.capacity
        self._capacity += capacity - self._capacities.pop(slot, 0)
        self._idle.pop(slot, None)
        self._busy.discard(slot)
        self._overloaded.discard(slot)
        if capacity:
            self._capacities[slot] = capacity
            if slot.is_idle:
                self._idle[slot] = None
            else:
                self._busy.add(slot)
        elif slot.is_overloaded:
            self._overloaded.add(slot)
        if self._waiting:
            self._dispatch()

    def on_leftover(self, type: TypeName, why: str) -> str:
        """Log that runs of the type cost their processes, and answer the line for the log of the run: once a type."""
        return self._leftovers.notice(type, why)

    def on_ending(self, slot: Slot) -> None:
        """Have a successor of the slot prepared."""
        self._prepare(slot)

    def on_retired(self, slot: Slot, why: TypeName | None) -> None:
        """Have another slot take its place. The next run of the type `why` is expected to cost its process as well."""
        if why is not None:
            self._leftovers.expected.add(why)
        self._succeed(slot)

    def on_died(self, slot: Slot, how: str) -> None:
        """Have the slot replaced. Too many deaths in a row while the functions are imported make them unusable."""
        if not slot.was_ready:
            self._version = None  # the child may have been asked for the description
            if not slot.is_spare:  # a spare may have been killed, since it is not needed
                self._count_import_death(how)
        self._replace(slot)

    def _count_import_death(self, how: str) -> None:
        self._import_deaths += 1
        if self._was_usable or self._import_deaths >= MAX_IMPORT_DEATHS:
            self.on_unusable(f"the tasks cannot be imported: the process that tried {how}")

    def needs_description(self, version: bytes) -> bool:
        """Whether this version differs from the last one. From now on it is the last one."""
        is_new, self._version = self._version != version, version
        return is_new

    def on_unusable(self, reason: str) -> None:
        """Report it once. Functions that were usable before are only logged, and tried again: it may pass."""
        self._version = None
        if self._was_usable:
            logging.getLogger(__name__).error(reason)
        elif not self._is_unusable:
            self._is_unusable = True
            self._events.append(Unusable(reason))

    def _dispatch(self) -> None:
        if self._is_dispatching:
            return  # the loop below goes on, and sees the change
        self._is_dispatching = True
        try:
            while self._waiting and (self._idle or self._busy):
                slot = next(reversed(self._idle)) if self._idle else min(self._busy, key=attrgetter("seconds"))
                run = self._waiting.popleft()
                self._slots[run.hold] = slot
                slot.start(DispatchedRun(next(self._numbers), run, self._durations.expected(run.type)))
                if run.type in self._leftovers.expected:  # the next run of its kind will need another process
                    self._prepare(slot)
        finally:
            self._is_dispatching = False
