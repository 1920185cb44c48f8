"""What a supervisor holds: tasks that it has claimed and not settled yet."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from math import inf

from application.ports.queue import Claimed
from domain.ids import Hold, TypeName
from domain.progress import Progress
from domain.settlement import Settlement
from domain.task import Task


class Ending(Enum):
    """Why a run was stopped before it ended by itself."""

    TIMEOUT = auto()
    LOST = auto()
    DRAINED = auto()


@dataclass(slots=True)
class Held:
    """A claimed task. `claimed_at` and `started_at` are seconds of the host's monotonic clock."""

    hold: Hold
    task: Task
    args: str
    claimed_at: float
    started_at: float | None = None
    progress: Progress | None = None
    ending: Ending | None = None

    @property
    def deadline(self) -> float:
        """When its function will have had all the time that it may take."""
        if self.started_at is None or self.task.timeout is None:
            return inf
        return self.started_at + self.task.timeout


@dataclass(frozen=True, slots=True)
class Unfit:
    """A claimed task that does not fit the functions here, and how it ends where it fits nobody else's."""

    held: Held
    otherwise: Callable[[Task, datetime], Settlement]


@dataclass(slots=True)
class Holdings:
    """The claimed tasks: those that wait for a free place in the order of claiming, and those handed over.

    Of those handed over, the `begun` are known to go on. The `unfit` did not begin, and nobody knows yet whether
    another handler may run them. `queued_of` and `next_of` count, by type, what is queued and what was handed over and
    has not begun: whoever decides what to claim asks at every turn, and there may be many.
    """

    queued: deque[Held] = field(default_factory=deque)
    running: dict[Hold, Held] = field(default_factory=dict)
    begun: dict[Hold, Held] = field(default_factory=dict)
    unfit: dict[Hold, Unfit] = field(default_factory=dict)
    queued_of: Counter[TypeName] = field(default_factory=Counter)
    next_of: Counter[TypeName] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.queued) + len(self.running) + len(self.unfit)

    def take_in(self, claimed: Sequence[Claimed], now: float) -> None:
        """Queue what was claimed."""
        self.queued.extend([Held(each.task.hold, each.task, each.args, now) for each in claimed])
        self.queued_of.update([each.task.type for each in claimed])

    def waits_for_record(self) -> bool:
        """Whether the first that is queued may not start yet."""
        return bool(self.queued) and self.queued[0].task.must_start_on_record

    def hand_over(self) -> Held:
        """The first that is queued; it runs from now on."""
        held = self._first()
        self.running[held.hold] = held
        self.next_of[held.task.type] += 1
        return held

    def begin(self, hold: Hold, at: float) -> Held | None:
        """The function of this one began then; None where it is not running any more."""
        if held := self.running.get(hold):
            held.started_at = at
            self.begun[hold] = held
            self.next_of[held.task.type] -= 1
        return held

    def end(self, hold: Hold) -> Held | None:
        """This one does not run any more; None where it did not."""
        held = self.running.pop(hold, None)
        if held and self.begun.pop(hold, None) is None:
            self.next_of[held.task.type] -= 1
        return held

    def holds(self) -> Sequence[Hold]:
        """All that is held and not known to be lost."""
        running = (hold for hold, held in self.running.items() if held.ending is not Ending.LOST)
        return [*(held.hold for held in self.queued), *running, *self.unfit]

    def everything(self) -> Iterator[Hold]:
        """All that is here, lost or not."""
        yield from (held.hold for held in self.queued)
        yield from self.running
        yield from self.unfit

    def first_to_begin(self) -> Held | None:
        """Of what was handed over, the first that has not begun as far as it is known."""
        return next((held for hold, held in self.running.items() if hold not in self.begun), None)

    def take_out(self, claimed_before: float = inf) -> Iterator[Held]:
        """Remove what is queued for longer than that, the oldest first."""
        while self.queued and self.queued[0].claimed_at < claimed_before:
            yield self._first()

    def drop(self, lost: Set[Hold]) -> None:
        """Remove what is not held any more, as far as it does not run."""
        self.queued = deque(held for held in self.queued if held.hold not in lost)
        self.queued_of = Counter(held.task.type for held in self.queued)
        self.unfit = {hold: unfit for hold, unfit in self.unfit.items() if hold not in lost}

    def _first(self) -> Held:
        held = self.queued.popleft()
        self.queued_of[held.task.type] -= 1
        return held
