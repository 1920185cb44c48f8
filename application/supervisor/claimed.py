"""What a supervisor holds: tasks that it has claimed and not settled yet."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from math import inf

from application.ports.queue import ClaimedRecord
from domain.ids import Hold, TypeName
from domain.progress import Progress
from domain.settlement import Settlement
from domain.task import Task


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

    @property
    def deadline(self) -> float:
        """When its function will have had all the time that it may take."""
        if self.started_at is None or self.task.timeout is None:
            return inf
        return self.started_at + self.task.timeout


@dataclass(frozen=True, slots=True)
class UnfitTask:
    """A claimed task that does not fit the functions here, and how it ends where it fits nobody else's."""

    claimed: ClaimedTask
    settlement_otherwise: Callable[[Task, datetime], Settlement]


@dataclass(slots=True)
class ClaimedTasks:
    """The claimed tasks: those that wait for a free place in the order of claiming, and those handed over.

    Of those handed over, the `begun` are known to go on. The `unfit` did not begin, and nobody knows yet whether
    another handler may run them. `queued_of` and `next_of` count, by type, what is queued and what was handed over and
    has not begun: whoever decides what to claim asks at every turn, and there may be many.
    """

    queued: deque[ClaimedTask] = field(default_factory=deque)
    running: dict[Hold, ClaimedTask] = field(default_factory=dict)
    begun: dict[Hold, ClaimedTask] = field(default_factory=dict)
    unfit: dict[Hold, UnfitTask] = field(default_factory=dict)
    queued_of: Counter[TypeName] = field(default_factory=Counter)
    next_of: Counter[TypeName] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.queued) + len(self.running) + len(self.unfit)

    def add(self, claimed: Sequence[ClaimedRecord], now: float) -> None:
        """Queue what was claimed."""
        self.queued.extend([ClaimedTask(each.task.hold, each.task, each.args, now) for each in claimed])
        self.queued_of.update([each.task.type for each in claimed])

    def waits_for_record(self) -> bool:
        """Whether the first that is queued may not start yet."""
        return bool(self.queued) and self.queued[0].task.must_start_on_record

    def dispatch_first(self) -> ClaimedTask:
        """The first that is queued; it runs from now on."""
        claimed = self._first()
        self.running[claimed.hold] = claimed
        self.next_of[claimed.task.type] += 1
        return claimed

    def begin(self, hold: Hold, at: float) -> ClaimedTask | None:
        """The function of this one began then; None where it is not running any more."""
        if claimed := self.running.get(hold):
            claimed.started_at = at
            self.begun[hold] = claimed
            self.next_of[claimed.task.type] -= 1
        return claimed

    def end(self, hold: Hold) -> ClaimedTask | None:
        """This one does not run any more; None where it did not."""
        claimed = self.running.pop(hold, None)
        if claimed and self.begun.pop(hold, None) is None:
            self.next_of[claimed.task.type] -= 1
        return claimed

    def holds(self) -> Sequence[Hold]:
        """All that is held and not known to be lost."""
        running = (hold for hold, claimed in self.running.items() if claimed.stop_reason is not StopReason.LOST)
        return [*(claimed.hold for claimed in self.queued), *running, *self.unfit]

    def all_holds(self) -> Iterator[Hold]:
        """All that is here, lost or not."""
        yield from (claimed.hold for claimed in self.queued)
        yield from self.running
        yield from self.unfit

    def first_to_begin(self) -> ClaimedTask | None:
        """Of what was handed over, the first that has not begun as far as it is known."""
        return next((claimed for hold, claimed in self.running.items() if hold not in self.begun), None)

    def pop_queued(self, claimed_before: float = inf) -> Iterator[ClaimedTask]:
        """Remove what is queued for longer than that, the oldest first."""
        while self.queued and self.queued[0].claimed_at < claimed_before:
            yield self._first()

    def drop(self, lost: Set[Hold]) -> None:
        """Remove what is not held any more, as far as it does not run."""
        self.queued = deque(claimed for claimed in self.queued if claimed.hold not in lost)
        self.queued_of = Counter(claimed.task.type for claimed in self.queued)
        self.unfit = {hold: unfit for hold, unfit in self.unfit.items() if hold not in lost}

    def _first(self) -> ClaimedTask:
        claimed = self.queued.popleft()
        self.queued_of[claimed.task.type] -= 1
        return claimed
