"""What a supervisor has on its desk: what it holds, what it has to tell the storage, and what it was asked."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from math import inf

from application.ports.clock import Clock
from application.ports.wake_up import Topic
from application.supervisor.claimed import Ending, Held, Holdings
from application.supervisor.prefetch import ClaimAhead
from domain.ids import Hold
from domain.instants import after
from domain.settlement import Afterword, Settlement
from domain.task import Task
from domain.task_type import TaskType


@dataclass(slots=True)
class Desk:
    """Only the supervisor's own thread touches it, but for `woken`, to which any thread may add, and `doubted_at`.

    That is when a claim last went unanswered, so that nobody knows what it has claimed. What is `under_way` has been
    taken from the outbox to be settled, and is not yet. `forsaken` is what is not held any more though it could not be
    settled: its lease has to lapse.
    """

    clock: Clock
    held: Holdings = field(default_factory=Holdings)
    ahead: ClaimAhead = field(default_factory=ClaimAhead)
    outbox: list[Settlement] = field(default_factory=list)
    under_way: Sequence[Settlement] = ()
    afterwords: list[Afterword] = field(default_factory=list)
    news: dict[Hold, Held] = field(default_factory=dict)
    to_end: list[Held] = field(default_factory=list)
    types: Sequence[TaskType] = ()
    published: Sequence[TaskType] = ()
    woken: set[Topic] = field(default_factory=lambda: set(Topic))
    draining: bool = False
    doubted_at: float = -inf
    forsaken: set[Hold] = field(default_factory=set)
    now: datetime = field(init=False)
    _monotonic: float = field(init=False)

    def __post_init__(self) -> None:
        self.look_at_the_clock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held, and nothing has to be told."""
        return not (self.held or self.outbox or self.afterwords)

    def offer(self, types: Sequence[TaskType]) -> None:
        """These can be run from now on."""
        self.types = types
        self.ahead.offer(type.name for type in types)

    def look_at_the_clock(self) -> None:
        """All that is done until the next look is done at this moment."""
        self.now, self._monotonic = self.clock.now(), self.clock.monotonic()

    def settle(self, held: Held, settlement: Callable[[Task, datetime], Settlement]) -> None:
        """It has ended now; the storage is to be told."""
        self.outbox.append(settlement(self.as_it_ran(held), self.now))

    def give_back(self, unstarted: Iterable[Task]) -> None:
        """These are not going to start here."""
        now, tasks = self.now, list(unstarted)
        self.ahead.gave_back(tasks)
        self.outbox.extend(Settlement.released(task, now) for task in tasks)

    def lose(self, holds: Sequence[Hold]) -> None:
        """The storage says that these are not ours any more: whatever runs of them has to end, and is not told."""
        self.held.drop(set(holds))
        for held in (self.held.running[hold] for hold in holds if hold in self.held.running):
            held.ending = Ending.LOST
            self.to_end.append(held)

    def say_of_lost(self, held: Held, printed: str) -> None:
        """It has ended, and nobody waits for its outcome any more. What it has printed is kept all the same."""
        if printed:
            self.afterwords.append(Afterword.of(self.as_it_ran(held), self.now, printed))

    def say_of_refused(self, settlement: Settlement) -> None:
        """Its outcome came too late."""
        record = settlement.attempt
        if record and record.log:
            self.afterwords.append(Afterword.instead_of(settlement.task.hold, record))

    def accounted_for(self) -> set[Hold]:
        """All that is held, or was and is still to be told of."""
        return {*self.held.everything(), *self._to_settle(), *self.forsaken}

    def to_keep(self) -> Sequence[Hold]:
        """All whose lease has to be renewed: what is held, and what has ended and is not settled yet."""
        return [*self.held.holds(), *self._to_settle()]

    def _to_settle(self) -> Iterator[Hold]:
        return (each.task.hold for each in chain(self.outbox, self.under_way))

    def as_it_ran(self, held: Held) -> Task:
        """The task with when it started, in the time of the storage, and how far it is."""
        if held.started_at is None:
            return held.task
        ago = self._monotonic - held.started_at
        return held.task.reported(after(self.now, -ago), held.progress)
