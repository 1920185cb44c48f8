"""The state of a supervisor: its claimed tasks, its pending writes, its types, and how far it is with stopping."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from math import inf

from application.log_lines import log_failure
from application.ports.clock import Clock
from application.ports.monitoring import DrainRequest
from application.ports.wake_up import Topic
from application.supervisor.claim_cursors import ClaimCursors
from application.supervisor.claimed_tasks import STOPPED, ClaimedTask, ClaimedTasks, StopReason
from application.supervisor.limited_types import LimitedTypes
from application.supervisor.outbox import Outbox
from application.supervisor.prefetch import Prefetch
from application.supervisor.tally import Tally
from domain.failure import Failure
from domain.ids import BatchId, Hold, TypeName
from domain.instants import after
from domain.limits import NO_LIMITS
from domain.settlement import LateLog, Settlement
from domain.task import Task
from domain.task_type import TaskType

LARGE_CHARACTERS = 256 * 1024
"""Characters of result and log above which a settlement is large."""
MAX_UNWRITTEN = 2_000
"""Settlements that may be unwritten while tasks are claimed."""
MAX_UNWRITTEN_LARGE = 8
"""Large settlements that may be unwritten while tasks are claimed."""
MAX_CLAIM_WAIT_SECONDS = 0.25
"""Seconds that an outcome of a limited type waits for the claim with which it is written."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class SupervisorState:
    """Only the supervisor's thread uses it, with three exceptions that are named below.

    - `outbox`: settlements that have to be written.
    - `limited_outbox`: the same of limited types, written together with the claim of the next task. `outbox` takes over
      those that wait for a long claim of other types.
    - `large_outbox`: the same of settlements with much text, which take long on a slow line.
    - `tally`: what a monitor is told. Any thread may read it.
    - `unstorable`: ended tasks whose outcome the storage cannot take, until they are taken back: their leases are left
      to lapse.
    - `ended_batches`: batches of which tasks have ended, which may be ready to finish.
    - `late_logs`: logs of starts that may not be settled any more.
    - `unreported`: started runs whose start or progress is not reported yet.
    - `running_logs`: the output so far of started runs, where it is not stored yet. Those of ended runs are dropped.
    - `runs_to_stop`: runs that the executor has to stop in this step, each with its failure.
    - `types`: the types that the executor can run.
    - `published`: the types that the storage knows as this handler's; none before publishing and after withdrawing.
    - `locked`: types whose last publication has met a lock, so that it will be repeated.
    - `limited`: the limited types among those that can be run.
    - `notified_topics`: topics of notifications that were not acted on yet; all of them at the start. Any thread may
      add to it.
    - `drain_request`: how an operator has asked this handler to stop, if one has.
    - `draining`: whether the supervisor has begun to stop.
    - `parents_ended`: whether tasks with dependents have ended that were not unblocked yet.
    - `claim_unanswered_at`: monotonic time at which a claim last ended without an answer, so that it is not known
      which tasks it took. The thread of the background runner sets it.
    - `now`: the time of the storage at the last `read_clock`.
    """

    clock: Clock
    claimed_tasks: ClaimedTasks = field(default_factory=ClaimedTasks)
    prefetch: Prefetch = field(default_factory=Prefetch)
    claim_cursors: ClaimCursors = field(default_factory=ClaimCursors)
    limited: LimitedTypes = field(default_factory=LimitedTypes)
    outbox: Outbox = field(default_factory=Outbox)
    limited_outbox: Outbox = field(default_factory=Outbox)
    large_outbox: Outbox = field(default_factory=Outbox)
    tally: Tally = field(default_factory=Tally)
    unstorable: dict[Hold, Task] = field(default_factory=dict)
    late_logs: list[LateLog] = field(default_factory=list)
    ended_batches: set[BatchId] = field(default_factory=set)
    unreported: dict[Hold, ClaimedTask] = field(default_factory=dict)
    running_logs: dict[Hold, str] = field(default_factory=dict)
    runs_to_stop: list[tuple[Hold, Failure]] = field(default_factory=list)
    types: Sequence[TaskType] = ()
    published: Sequence[TaskType] = ()
    locked: Set[TypeName] = frozenset()
    notified_topics: set[Topic] = field(default_factory=lambda: set(Topic))
    drain_request: DrainRequest | None = None
    draining: bool = False
    parents_ended: bool = False
    claim_unanswered_at: float = -inf
    now: datetime = field(init=False)
    _monotonic: float = field(init=False)
    _limited_ended_at: float = field(init=False, default=-inf)

    def __post_init__(self) -> None:
        self.read_clock()

    @property
    def is_empty(self) -> bool:
        """Whether no task is held and nothing has to be written."""
        return not (self.claimed_tasks or any(self.outboxes) or self.late_logs)

    @property
    def outboxes(self) -> Sequence[Outbox]:
        """All outboxes."""
        return self.outbox, self.limited_outbox, self.large_outbox

    @property
    def is_backlogged(self) -> bool:
        """Whether so many outcomes cannot be written that no task should be claimed."""
        small = len(self.outbox) + len(self.limited_outbox)
        return small > MAX_UNWRITTEN or len(self.large_outbox) > MAX_UNWRITTEN_LARGE

    @property
    def may_claim(self) -> bool:
        """Whether tasks may be claimed at all, if there is a slot for them."""
        return bool(self.published) and not self.draining and not self.is_backlogged

    def is_renewed_within(self, seconds: float) -> bool:
        """Whether it claims tasks, and has renewed its leases so lately. From any thread."""
        renewed = self.clock.monotonic() - self.tally.renewed_at < seconds
        return bool(self.published) and not self.draining and renewed

    def notify(self, topic: Topic) -> None:
        """Have a notification of this topic acted on. From any thread."""
        self.notified_topics.add(topic)
        self.limited.notified.add(topic)

    def set_types(self, types: Sequence[TaskType]) -> None:
        """Replace the types that can be run."""
        self.types = types
        self.set_limited({*self.limited.turns, *(type.name for type in types if type.limits != NO_LIMITS)})
        self.limited.read_at = -inf

    def set_limited(self, limited: Set[TypeName]) -> None:
        """Note which types are limited; the others are claimed ahead.

        A type that declares limits is one of them until they are published: the storage does not know them before.
        """
        names = [type.name for type in self.types]
        limited = {*limited, *(type.name for type in self.types if type.limits != NO_LIMITS and not self._has(type))}
        self.limited.set(name for name in names if name in limited)
        self.prefetch.set_types(name for name in names if name not in limited)

    def step_back(self, waiting: Sequence[Task]) -> None:
        """Have the next claims find these tasks, which wait in the storage again."""
        self.claim_cursors.step_back(task for task in waiting if task.type not in self.limited)
        self.limited.cursors.step_back(task for task in waiting if task.type in self.limited)

    def read_clock(self) -> None:
        """Set the time of everything that happens until the next call."""
        self.now, self._monotonic = self.clock.now(), self.clock.monotonic()

    def settle(self, claimed: ClaimedTask, settlement: Callable[[Task, datetime], Settlement]) -> None:
        """Put the settlement of a run that ended now into the outbox, and log its failure."""
        ended = settlement(self.task_as_run(claimed), self.now)
        if ended.attempt:
            log_failure(log, ended)
        outbox = self._outbox_of(ended)
        if outbox is self.limited_outbox and not outbox.fresh:
            self._limited_ended_at = self._monotonic
        outbox.fresh.append(ended)
        self.tally.record_end(ended.hold, self._monotonic)

    @property
    def takes_over_at(self) -> float:
        """Monotonic time at which `outbox` takes over what waits for a claim; inf if nothing does."""
        return self._limited_ended_at + MAX_CLAIM_WAIT_SECONDS if self.limited_outbox.fresh else inf

    def take_over(self) -> None:
        """Have outcomes of limited types that have waited long enough for a claim written without one."""
        if self._monotonic >= self.takes_over_at:
            self.outbox.fresh.extend(self.limited_outbox.fresh)
            self.limited_outbox.fresh.clear()

    def release(self, unstarted: Iterable[Task]) -> None:
        """Put releases of tasks that will not start here into the outbox."""
        if tasks := list(unstarted):
            self.prefetch.record_releases(tasks)
            self.outbox.fresh.extend([Settlement.released(task, self.now) for task in tasks])

    def stop(self, claimed: ClaimedTask, reason: StopReason, failure: Failure = STOPPED) -> None:
        """Have the executor stop a dispatched task in this step."""
        claimed.stop_reason = reason
        self.runs_to_stop.append((claimed.hold, failure))

    def drop_lost(self, holds: Sequence[Hold]) -> None:
        """Drop tasks that the storage says are not held any more, and stop their runs, which are not settled."""
        self.claimed_tasks.drop(set(holds))
        for hold in holds:
            self.unstorable.pop(hold, None)
        dispatched = self.claimed_tasks.dispatched
        for claimed in (dispatched[hold] for hold in holds if hold in dispatched):
            self.stop(claimed, StopReason.LOST)

    def add_late_log_of_lost(self, claimed: ClaimedTask, printed: str) -> None:
        """Keep the log of a run that ended after its task was lost."""
        if printed:
            self.late_logs.append(LateLog.of(self.task_as_run(claimed), self.now, printed))

    def add_late_log_of_refused(self, settlement: Settlement) -> None:
        """Keep the log of a run whose settlement was refused."""
        record = settlement.attempt
        if record and record.log:
            self.late_logs.append(LateLog.instead_of(settlement, record))

    def known_holds(self) -> Iterable[Hold]:
        """Holds of the claimed tasks, of the settlements that are not written, and of those that cannot be stored."""
        return chain(self.claimed_tasks.all_holds(), self._unwritten_holds(), self.unstorable)

    def holds_that_may_be_lost(self) -> Sequence[Hold]:
        """Holds that another process may have ended: of claimed tasks, and of ended ones that wait to be taken back."""
        return [*self.claimed_tasks.holds(), *self.unstorable]

    def holds_to_renew(self) -> Sequence[Hold]:
        """Holds whose lease must be renewed: claimed tasks, and ended ones until their settlement is written."""
        return [*self.claimed_tasks.holds(), *self._unwritten_holds()]

    def holds_suspect(self) -> bool:
        """Whether a suspect is claimed, or has ended and its end is not written yet, or cannot be."""
        unwritten = (each.task for each in chain(*self.outboxes))
        return any(task.suspect for task in chain(self.claimed_tasks.tasks(), unwritten, self.unstorable.values()))

    def task_as_run(self, claimed: ClaimedTask) -> Task:
        """The task with its start, in the time of the storage, and its progress."""
        if claimed.started_at is None:
            return claimed.task
        ago = self._monotonic - claimed.started_at
        return claimed.task.reported(after(self.now, -ago), claimed.progress)

    def _has(self, type: TaskType) -> bool:
        """Whether the storage has the type as it is here."""
        return type.name not in self.locked and type in self.published

    def _unwritten_holds(self) -> Iterator[Hold]:
        return (each.hold for each in chain(*self.outboxes))

    def _outbox_of(self, ended: Settlement) -> Outbox:
        if ended.characters > LARGE_CHARACTERS:
            return self.large_outbox
        return self.limited_outbox if self.limited.turns and ended.task.type in self.limited else self.outbox
