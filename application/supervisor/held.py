"""What a supervisor holds: tasks that it has claimed and not settled yet."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from application.ports.queue import Claimed
from domain.ids import Hold
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

    task: Task
    args: str
    claimed_at: float
    started_at: float | None = None
    progress: Progress | None = None
    ending: Ending | None = None

    @property
    def hold(self) -> Hold:
        """The task under its claim."""
        return self.task.hold

    def is_overdue(self, now: float) -> bool:
        """Whether its function has had all the time that it may take."""
        timeout = self.task.timeout
        return timeout is not None and self.started_at is not None and now - self.started_at >= timeout


@dataclass(frozen=True, slots=True)
class Unfit:
    """A claimed task that does not fit the functions here, and how it ends where it fits nobody else's."""

    held: Held
    otherwise: Callable[[Task, datetime], Settlement]


@dataclass(slots=True)
class Holdings:
    """The claimed tasks: those that wait for a free place in the order of claiming, and those handed over.

    The `unfit` have been handed over and did not begin; nobody knows yet whether another handler may run them.
    """

    queued: deque[Held] = field(default_factory=deque)
    running: dict[Hold, Held] = field(default_factory=dict)
    unfit: dict[Hold, Unfit] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.queued) + len(self.running) + len(self.unfit)

    def take_in(self, claimed: Sequence[Claimed], now: float) -> None:
        """Queue what was claimed."""
        self.queued.extend(Held(each.task, each.args, now) for each in claimed)

    def waits_for_record(self) -> bool:
        """Whether the first that is queued may not start yet."""
        return bool(self.queued) and self.queued[0].task.must_start_on_record

    def hand_over(self) -> Held:
        """The first that is queued; it runs from now on."""
        held = self.queued.popleft()
        self.running[held.hold] = held
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

    def not_begun(self) -> Iterator[Held]:
        """All whose function has not started yet, as far as it is known."""
        yield from self.queued
        yield from (held for held in self.running.values() if held.started_at is None)

    def take_out(self, claimed_before: float = float("inf")) -> Iterator[Held]:
        """Remove what is queued for longer than that, the oldest first."""
        while self.queued and self.queued[0].claimed_at < claimed_before:
            yield self.queued.popleft()

    def drop(self, lost: set[Hold]) -> None:
        """Remove what is not held any more, as far as it does not run."""
        self.queued = deque(held for held in self.queued if held.hold not in lost)
        self.unfit = {hold: unfit for hold, unfit in self.unfit.items() if hold not in lost}
