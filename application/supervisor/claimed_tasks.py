"""The tasks that a supervisor has claimed and not yet settled, with the time at which each one times out."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from itertools import chain
from math import inf

from application.ports.queue import ClaimedRecord
from domain.failure import Failure
from domain.ids import Hold, TypeName
from domain.progress import Progress
from domain.settlement import Settlement
from domain.task import Task

STOPPED = Failure("Stopped", "its handler stopped it")
"""The failure of a run that was stopped because its task was lost or its handler drains."""


class StopReason(Enum):
    """Why a run was stopped before it ended by itself."""

    TIMEOUT = auto()
    LOST = auto()
    DRAINED = auto()


@dataclass(slots=True)
class ClaimedTask:
    """A claimed task. `claimed_at` and `started_at` are seconds of the host's monotonic clock."""

    hold: Hold
    task: Task
    args: str
    claimed_at: float
    started_at: float | None = None
    progress: Progress | None = None
    stop_reason: StopReason | None = None

    @classmethod
    def of(cls, record: ClaimedRecord, at: float) -> "ClaimedTask":
        """The task of a claim that was answered at that monotonic time."""
        return cls(record.task.hold, record.task, record.args, at)

    @property
    def deadline(self) -> float:
        """Monotonic time at which its timeout is over; inf without a start or a timeout."""
        if self.started_at is None or self.task.timeout is None:
            return inf
        return self.started_at + self.task.timeout


@dataclass(frozen=True, slots=True)
class UnfitTask:
    """A claimed task whose arguments this handler's function refuses.

    `fallback_settlement` makes its settlement if they fit no other handler's function either.
    """

    claimed: ClaimedTask
    fallback_settlement: Callable[[Task, datetime], Settlement]


@dataclass(slots=True)
class ClaimedTasks:
    """Claimed tasks by how far they have got.

    - `queued`: wait for a free slot, in the order in which they were claimed.
    - `unfilled`: wait for the results to which their arguments refer, before they are queued.
    - `filling`: wait for results that are being read.
    - `dispatched`: handed to the executor.
    - `started`: those of the dispatched tasks whose functions are known to have started.
    - `unfit`: refused by the function here; whether another handler can run them is not known yet.
    - `queued_by_type`: number of tasks of each type that are queued, unfilled or being filled.
    - `pending_by_type`: number of tasks of each type that are dispatched and not started.

    The numbers are kept up to date because every step asks for them, and there may be many tasks.
    """

    queued: deque[ClaimedTask] = field(default_factory=deque)
    unfilled: deque[ClaimedTask] = field(default_factory=deque)
    filling: dict[Hold, ClaimedTask] = field(default_factory=dict)
    dispatched: dict[Hold, ClaimedTask] = field(default_factory=dict)
    started: dict[Hold, ClaimedTask] = field(default_factory=dict)
    unfit: dict[Hold, UnfitTask] = field(default_factory=dict)
    queued_by_type: Counter[TypeName] = field(default_factory=Counter)
    pending_by_type: Counter[TypeName] = field(default_factory=Counter)

    def __len__(self) -> int:
        return self.undispatched + len(self.dispatched) + len(self.unfit)

    @property
    def undispatched(self) -> int:
        """The number of tasks that wait for a slot or for results."""
        return len(self.queued) + len(self.unfilled) + len(self.filling)

    def add(self, claimed: Sequence[ClaimedTask]) -> None:
        """Queue tasks that were claimed."""
        self.queued.extend(self._without_unfilled(claimed))
        self.queued_by_type.update([each.task.type for each in claimed])

    def add_first(self, claimed: Sequence[ClaimedTask]) -> None:
        """Queue tasks that were claimed for idle slots, before all others."""
        self.queued.extendleft(reversed(self._without_unfilled(claimed)))
        self.queued_by_type.update([each.task.type for each in claimed])

    def idle_slots(self, free: int, slots: int) -> int:
        """How many of the slots run nothing. `free`: the runs that the executor can start now."""
        return max(min(free, slots - len(self.dispatched)) - len(self.unfilled) - len(self.filling), 0)

    def begin_filling(self) -> Sequence[ClaimedTask]:
        """Move the unfilled tasks to those that are being filled, and return all of these in the order of claiming."""
        self.filling |= {claimed.hold: claimed for claimed in self.unfilled}
        self.unfilled.clear()
        return [*self.filling.values()]

    def filled(self) -> int:
        """The number of queued tasks whose arguments were filled."""
        return sum(claimed.task.has_references for claimed in self.queued)

    def end_filling(self, filled: Mapping[Hold, str], failed: Set[Hold], at: float) -> Sequence[ClaimedTask]:
        """Queue the tasks that were filled before all others, and remove and return those that failed.

        The others are unfilled again. `at`: the monotonic time, from which the filled ones wait for a slot.
        """
        ended = [self.filling[hold] for hold in filled if hold in self.filling]
        for claimed in ended:
            claimed.args, claimed.claimed_at = filled[claimed.hold], at
        removed = [claimed for hold, claimed in self.filling.items() if hold in failed]
        self.queued_by_type.subtract([claimed.task.type for claimed in removed])
        self.queued.extendleft(reversed(ended))
        rest = [claimed for hold, claimed in self.filling.items() if hold not in filled and hold not in failed]
        self.unfilled.extendleft(reversed(rest))
        self.filling = {}
        return removed

    def waits_for_record(self) -> bool:
        """Whether the start of the first queued task must be recorded before the task is dispatched."""
        return bool(self.queued) and self.queued[0].task.must_start_on_record

    def dispatch_first(self) -> ClaimedTask:
        """Move the first queued task to the dispatched ones, and return it."""
        claimed = self._pop_first(self.queued)
        self.dispatched[claimed.hold] = claimed
        self.pending_by_type[claimed.task.type] += 1
        return claimed

    def start(self, hold: Hold, at: float) -> ClaimedTask | None:
        """Note that a dispatched task's function started `at` that monotonic time; None if it is not dispatched."""
        if claimed := self.dispatched.get(hold):
            claimed.started_at = at
            if hold not in self.started:
                self.started[hold] = claimed
                self.pending_by_type[claimed.task.type] -= 1
        return claimed

    def remove(self, hold: Hold) -> ClaimedTask | None:
        """Remove a dispatched task, and return it; None if it is not dispatched."""
        claimed = self.dispatched.pop(hold, None)
        if claimed and self.started.pop(hold, None) is None:
            self.pending_by_type[claimed.task.type] -= 1
        return claimed

    def holds(self) -> Sequence[Hold]:
        """Holds of all tasks that are not known to be lost."""
        kept = (hold for hold, claimed in self.dispatched.items() if claimed.stop_reason is not StopReason.LOST)
        return [*(claimed.hold for claimed in self._undispatched()), *kept, *self.unfit]

    def tasks(self) -> Iterator[Task]:
        """All tasks, lost or not."""
        unfit = (each.claimed for each in self.unfit.values())
        return (claimed.task for claimed in chain(self._undispatched(), self.dispatched.values(), unfit))

    def all_holds(self) -> Iterator[Hold]:
        """Holds of all tasks, lost or not."""
        yield from (claimed.hold for claimed in self._undispatched())
        yield from self.dispatched
        yield from self.unfit

    def first_pending(self) -> ClaimedTask | None:
        """The first dispatched task that is not known to have started."""
        return next((claimed for hold, claimed in self.dispatched.items() if hold not in self.started), None)

    def pop_queued(self, claimed_before: float = inf) -> Iterator[ClaimedTask]:
        """Remove the queued and unfilled tasks that were claimed before that monotonic time, the oldest first."""
        for waiting in (self.queued, self.unfilled):
            while waiting and waiting[0].claimed_at < claimed_before:
                yield self._pop_first(waiting)

    def oldest(self) -> Iterator[ClaimedTask]:
        """The first queued and the first unfilled task."""
        return (waiting[0] for waiting in (self.queued, self.unfilled) if waiting)

    def drop(self, holds: Set[Hold]) -> None:
        """Remove those of these tasks that are not dispatched."""
        self.queued = deque(claimed for claimed in self.queued if claimed.hold not in holds)
        self.unfilled = deque(claimed for claimed in self.unfilled if claimed.hold not in holds)
        self.filling = {hold: claimed for hold, claimed in self.filling.items() if hold not in holds}
        self.queued_by_type = Counter(claimed.task.type for claimed in self._undispatched())
        self.unfit = {hold: unfit for hold, unfit in self.unfit.items() if hold not in holds}

    def _undispatched(self) -> Iterator[ClaimedTask]:
        return chain(self.queued, self.unfilled, self.filling.values())

    def _without_unfilled(self, claimed: Sequence[ClaimedTask]) -> Sequence[ClaimedTask]:
        """Those of the claimed tasks that have no references; the others are unfilled."""
        unfilled = [each for each in claimed if each.task.has_references]
        self.unfilled.extend(unfilled)
        return [each for each in claimed if not each.task.has_references] if unfilled else claimed

    def _pop_first(self, waiting: deque[ClaimedTask]) -> ClaimedTask:
        claimed = waiting.popleft()
        self.queued_by_type[claimed.task.type] -= 1
        return claimed
