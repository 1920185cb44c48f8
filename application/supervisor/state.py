"""What a supervisor has on its desk: what it holds, what it has to tell the storage, and what it was asked."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from math import inf

from application.ports.clock import Clock
from application.ports.wake_up import Topic
from application.supervisor.claimed import ClaimedTask, ClaimedTasks, StopReason
from application.supervisor.prefetch import Prefetch
from domain.ids import Hold
from domain.instants import after
from domain.settlement import LateLog, Settlement
from domain.task import Task
from domain.task_type import TaskType


@dataclass(slots=True)
class SupervisorState:
    """Only the supervisor's own thread touches it, but for `woken`, to which any thread may add, and `doubted_at`.

    That is when a claim last went unanswered, so that nobody knows what it has claimed. What is `under_way` has been
    taken from the outbox to be settled, and is not yet. `forsaken` is what is not held any more though it could not be
    settled: its lease has to lapse.
    """

    clock: Clock
    claimed_tasks: ClaimedTasks = field(default_factory=ClaimedTasks)
    prefetch: Prefetch = field(default_factory=Prefetch)
    outbox: list[Settlement] = field(default_factory=list)
    settling: Sequence[Settlement] = ()
    late_logs: list[LateLog] = field(default_factory=list)
    progressed: dict[Hold, ClaimedTask] = field(default_factory=dict)
    to_stop: list[ClaimedTask] = field(default_factory=list)
    types: Sequence[TaskType] = ()
    published: Sequence[TaskType] = ()
    woken: set[Topic] = field(default_factory=lambda: set(Topic))
    draining: bool = False
    claim_unanswered_at: float = -inf
    unsettled: set[Hold] = field(default_factory=set)
    now: datetime = field(init=False)
    _monotonic: float = field(init=False)

    def __post_init__(self) -> None:
        self.read_clock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held, and nothing has to be told."""
        return not (self.claimed_tasks or self.outbox or self.late_logs)

    def set_types(self, types: Sequence[TaskType]) -> None:
        """These can be run from now on."""
        self.types = types
        self.prefetch.set_types(type.name for type in types)

    def read_clock(self) -> None:
        """All that is done until the next look is done at this moment."""
        self.now, self._monotonic = self.clock.now(), self.clock.monotonic()

    def settle(self, claimed: ClaimedTask, settlement: Callable[[Task, datetime], Settlement]) -> None:
        """It has ended now; the storage is to be told."""
        self.outbox.append(settlement(self.as_run(claimed), self.now))

    def release(self, unstarted: Iterable[Task]) -> None:
        """These are not going to start here."""
        now, tasks = self.now, list(unstarted)
        self.prefetch.released(tasks)
        self.outbox.extend(Settlement.released(task, now) for task in tasks)

    def drop_lost(self, holds: Sequence[Hold]) -> None:
        """The storage says that these are not ours any more: whatever runs of them has to end, and is not told."""
        self.claimed_tasks.drop(set(holds))
        for claimed in (self.claimed_tasks.running[hold] for hold in holds if hold in self.claimed_tasks.running):
            claimed.stop_reason = StopReason.LOST
            self.to_stop.append(claimed)

    def add_late_log_of_lost(self, claimed: ClaimedTask, printed: str) -> None:
        """It has ended, and nobody waits for its outcome any more. What it has printed is kept all the same."""
        if printed:
            self.late_logs.append(LateLog.of(self.as_run(claimed), self.now, printed))

    def add_late_log_of_refused(self, settlement: Settlement) -> None:
        """Its outcome came too late."""
        record = settlement.attempt
        if record and record.log:
            self.late_logs.append(LateLog.instead_of(settlement.task.hold, record))

    def known_holds(self) -> set[Hold]:
        """All that is held, or was and is still to be told of."""
        return {*self.claimed_tasks.all_holds(), *self._to_settle(), *self.unsettled}

    def holds_to_renew(self) -> Sequence[Hold]:
        """All whose lease has to be renewed: what is held, and what has ended and is not settled yet."""
        return [*self.claimed_tasks.holds(), *self._to_settle()]

    def _to_settle(self) -> Iterator[Hold]:
        return (each.task.hold for each in chain(self.outbox, self.settling))

    def as_run(self, claimed: ClaimedTask) -> Task:
        """The task with when it started, in the time of the storage, and how far it is."""
        if claimed.started_at is None:
            return claimed.task
        ago = self._monotonic - claimed.started_at
        return claimed.task.reported(after(self.now, -ago), claimed.progress)
