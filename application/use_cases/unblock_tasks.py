"""Unblock tasks: once their parents have ended, they may run, or fail by these; what waits on a retry waits again."""

import logging
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from application.conflict_retry import retry_on_conflict
from application.errors import StatementRefused, StorageUnavailable
from application.isolation import isolate, log_once
from application.log_lines import named
from application.ports.clock import Clock
from application.ports.dependencies import Undecided
from application.ports.pending_work import PendingWork
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from application.use_cases.revive import batches_of
from domain.dependencies import Dependent
from domain.ids import BatchId, TaskId
from domain.status import Status
from domain.task import Task

BATCH_TASKS = 1_000
MAX_SECONDS = 1.0
"""Seconds after which `all` begins no other batch."""
LEFT_OUT_SECONDS = 60.0
"""Seconds for which a task is left out that the storage refuses to change."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unblocked:
    """The changed tasks, and whether there may be more to decide on."""

    tasks: Sequence[Task] = ()
    has_more: bool = False


class UnblockTasks:
    """Decides on the dependents of parents that have changed, one batch at a time. Skips locked ones. Thread-safe.

    A dependent is locked as well while its batch is, in which it would wait again.

    Any number of processes may do so at once: each decision is made under the lock of the dependent, by parents that
    are read after it.
    """

    def __init__(self, begin: Begin, pending: PendingWork, clock: Clock, notifier: Notifier) -> None:
        self._begin = begin
        self._pending = pending
        self._clock = clock
        self._notifier = notifier
        self._left_out: dict[TaskId, float] = {}

    def __call__(self, limit: int = BATCH_TASKS) -> Unblocked:
        """Decide on one batch, if there is anything to decide on."""
        return self.batch(limit) if self._has_changes() else Unblocked()

    @retry_on_conflict
    def batch(self, limit: int = BATCH_TASKS) -> Unblocked:
        """Decide on one batch without asking first whether there is anything to decide on."""
        undecided = Undecided()
        try:
            with self._begin() as work:
                undecided = work.dependencies.take_undecided(limit, self._present_left_out())
                decided = _decided(undecided.dependents, self._clock.now())
                held_up = _held_up(work, _revived(undecided.dependents, decided))
                decided = [task for task in decided if task.id not in held_up]
                work.tasks.save(*decided)
                work.commit()
        except (StorageUnavailable, StatementRefused):
            raise
        except Exception:
            # The changes that led to the odd tasks have to stay: the next batch leaves these tasks out.
            if not self._leave_out_odd(undecided.dependents):
                raise
            return Unblocked(has_more=True)
        self._notify(decided)
        # A dependent that is blocked again or has failed may be a parent itself.
        is_parent_changed = any(task.is_blocked for task in decided)
        # Where all are held up, looking again at once would find the same.
        may_be_others = undecided.is_full and len(held_up) < limit
        return Unblocked(decided, may_be_others or is_parent_changed)

    def all(self) -> None:
        """Decide on all that there is, for a second at most; after a failure a janitor does the rest.

        It follows a change that is committed, and so raises nothing.
        """
        ends = self._clock.monotonic() + MAX_SECONDS
        try:
            while self().has_more and self._clock.monotonic() < ends:
                pass
        except StorageUnavailable as error:
            log.debug("tasks are unblocked later: %s", error)
        except Exception as error:
            log_once(log, "tasks are unblocked later", error)

    @retry_on_conflict
    def _has_changes(self) -> bool:
        return self._pending.has_changed_parents()

    def _leave_out_odd(self, dependents: Sequence[Dependent]) -> bool:
        """Leave those out for a while that cannot be changed, or whose batch cannot. Whether there are any.

        Changes nothing.
        """
        decided = _decided(dependents, self._clock.now())
        revived = _revived(dependents, decided)
        with self._begin() as work:

            def save(some: Sequence[Task]) -> Sequence[TaskId]:
                with work.savepoint():
                    work.tasks.save(*some)
                return []

            def resume(some: Sequence[BatchId]) -> Sequence[BatchId]:
                with work.savepoint():
                    work.batches.resume_free(some)
                return []

            odd_batches = isolate([*batches_of(revived)], resume, _leave_batch)
            odd = [*isolate(decided, save, _leave), *(task.id for task in revived if task.batch in odd_batches)]
        self._left_out |= dict.fromkeys(odd, self._clock.monotonic() + LEFT_OUT_SECONDS)
        return bool(odd)

    def _present_left_out(self) -> Collection[TaskId]:
        now = self._clock.monotonic()
        self._left_out = {id: until for id, until in self._left_out.items() if until > now}
        return self._left_out.keys()

    def _notify(self, decided: Sequence[Task]) -> None:
        if any(task.is_due(self._clock.now()) for task in decided):
            self._notifier.notify(Topic.WAITING)
        if any(task.is_blocked for task in decided):
            self._notifier.notify(Topic.CHANGED)


def _decided(dependents: Sequence[Dependent], now: datetime) -> Sequence[Task]:
    return [task for each in dependents if (task := each.decided(now))]


def _revived(dependents: Sequence[Dependent], decided: Sequence[Task]) -> Sequence[Task]:
    """Those of the tasks that had failed, and wait again."""
    failed = {each.task.id for each in dependents if each.task.status is Status.FAILED}
    return [task for task in decided if task.id in failed]


def _held_up(work: UnitOfWork, revived: Sequence[Task]) -> Set[TaskId]:
    """Have the batches of revived tasks go on, and put those tasks off whose batches are locked."""
    locked = work.batches.resume_free(batches_of(revived))
    held_up = {task.id for task in revived if task.batch in locked}
    work.dependencies.put_off(held_up)
    return held_up


def _leave(task: Task, error: Exception) -> Sequence[TaskId]:
    line = f"{named(task.id, task.type)} waits longer for its parents: it cannot be changed"
    log_once(log, line, error, task=task.id, type=task.type)
    return [task.id]


def _leave_batch(id: BatchId, error: Exception) -> Sequence[BatchId]:
    log_once(log, f"batch {id}: its tasks wait longer for their parents, since it cannot be changed", error)
    return [id]
