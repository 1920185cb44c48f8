"""Finish batches: those that are closed and whose tasks have all finished."""

import logging
from collections.abc import Collection, Sequence, Set
from contextlib import suppress
from datetime import datetime
from functools import partial

from application.conflict_retry import retry_on_conflict
from application.errors import StorageUnavailable
from application.isolation import isolate, log_once
from application.ports.batches import FIRST
from application.ports.clock import Clock
from application.ports.pending_work import PendingWork
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from domain.batch import Batch
from domain.ids import BatchId
from domain.status import Status
from domain.task import Task

BATCHES = 100
"""Batches of one transaction."""
FOLDED_ENTRIES = 10_000
"""Entries of counts that one transaction merges, except for those of the last batch among them."""
log = logging.getLogger(__name__)


class FinishBatches:
    """Finishes batches, however many processes do so at once: a batch is looked at under its lock.

    A process that has changed the last task of a batch may name the batch after the commit. `due` finds the others.
    """

    def __init__(self, begin: Begin, pending: PendingWork, clock: Clock, notifier: Notifier) -> None:
        self._begin = begin
        self._pending = pending
        self._clock = clock
        self._notifier = notifier
        # Each call goes on behind the batches of the last one, which may be held up.
        self._folded_to = FIRST
        self._finished_to = FIRST

    def __call__(self, ids: Collection[BatchId]) -> Sequence[Batch]:
        """Finish those of these batches that are ready; return them.

        It follows a change that is committed: while the storage is away, it leaves them to `due`.
        """
        with suppress(StorageUnavailable):
            if ids and (ready := self._pending.finished_batches(ids)):
                return self._finish(ready)
        return []

    def due(self) -> bool:
        """Fold the counts of batches, and finish some batches that are ready. Whether there may be more to do."""
        now = self._clock.now()
        if not self._pending.has_batch_work(now):
            return False
        may_be_more_to_fold, may_be_more_to_finish = self._fold_some(), self._finish_some(now)
        return may_be_more_to_fold or may_be_more_to_finish

    def _fold_some(self) -> bool:
        with self._begin() as work:
            entries = work.batches.unfolded(FOLDED_ENTRIES, self._folded_to)
        isolate([*entries], self._fold_together, partial(_leave, "its counts cannot be folded"))
        is_full = sum(entries.values()) >= FOLDED_ENTRIES
        self._folded_to = max(entries) if is_full else FIRST
        return is_full

    def _finish_some(self, now: datetime) -> bool:
        with self._begin() as work:
            due = work.batches.due(now, BATCHES, self._finished_to)
        self._finish(due)
        is_full = len(due) >= BATCHES
        self._finished_to = due[-1] if is_full else FIRST
        return is_full

    @retry_on_conflict
    def _fold_together(self, ids: Collection[BatchId]) -> Sequence[Batch]:
        with self._begin() as work:
            work.batches.fold(ids)
            work.commit()
        return []

    def _finish(self, ids: Collection[BatchId]) -> Sequence[Batch]:
        finished = isolate([*ids], self._finish_together, partial(_leave, "it cannot be finished"))
        if finished:
            self._notifier.notify(Topic.CHANGED)
        if any(each.then is not None for each in finished):
            self._notifier.notify(Topic.WAITING)
        return finished

    @retry_on_conflict
    def _finish_together(self, ids: Collection[BatchId]) -> Sequence[Batch]:
        with self._begin() as work:
            finished = self._finish_locked(work, work.batches.lock_free(ids))
            work.commit()
        return finished

    def _finish_locked(self, work: UnitOfWork, locked: Sequence[Batch]) -> Sequence[Batch]:
        now = self._clock.now()
        # By a statement of its own: the snapshot of the one that locked is older than the locks.
        counts = work.batches.counts([each.id for each in locked])
        after = {
            each: (each.closed() if each.has_expired(now) else each).finished_at(now, counts[each.id])
            for each in locked
        }
        followers, held_up = _locked_followers(work, after.values())
        looked_at = {before: each for before, each in after.items() if each.id not in held_up}
        work.batches.save(*looked_at.values())
        # They start once, though the batch may finish again.
        work.tasks.save(*(each.unblock(now) for each in followers if each.status is Status.WAITING and each.is_blocked))
        return [each for before, each in looked_at.items() if each.finished != before.finished]


def _locked_followers(work: UnitOfWork, batches: Collection[Batch]) -> tuple[Sequence[Task], Set[BatchId]]:
    """Lock the tasks that follow finished batches.

    Return them, and the batches whose followers another transaction has locked: those are looked at again.
    """
    batch_of = {each.then: each.id for each in batches if each.finished and each.then is not None}
    locked = work.tasks.lock_free(*batch_of)
    others = batch_of.keys() - {task.id for task in locked}
    return locked, {batch_of[id] for id in others if work.tasks.get(id, max_bytes=0)}


def _leave(what: str, id: BatchId, error: Exception) -> Sequence[Batch]:
    log_once(log, f"batch {id}: {what}", error)
    return []
