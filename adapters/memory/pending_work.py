"""Pending work in memory."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.ports.monitoring import DrainRequest
from domain.ids import BatchId, HandlerId


class MemoryPendingWork:
    """Implements application.ports.pending_work.PendingWork over the units of work that `begin` gives."""

    def __init__(self, begin: Callable[[], AbstractContextManager[MemoryUnitOfWork]]) -> None:
        self._begin = begin

    def has_expired(self, now: datetime) -> bool:
        with self._begin() as work:
            return any(row.task.may_expire(now) for row in work.state.rows.values())

    def has_batch_work(self, now: datetime) -> bool:
        with self._begin() as work:
            return bool(work.batches.due(now, 1))

    def finished_batches(self, ids: Collection[BatchId]) -> Collection[BatchId]:
        with self._begin() as work:
            counts, now = work.batches.counts(ids), datetime.now(UTC)
            return [each.id for each in work.batches.lock_free(ids) if each.finished_at(now, counts[each.id]) != each]

    def has_changed_parents(self) -> bool:
        with self._begin() as work:
            return bool(work.state.changed_parents)

    def next_schedule_work(self, now: datetime) -> datetime | None:
        with self._begin() as work:
            before = work.schedules.lock()
            work.schedules.review(now)
            if work.schedules.lock() != before:
                return now
            return min((each.next for each in before if each.abandoned is None), default=None)

    def drain_request(self, handler: HandlerId) -> DrainRequest | None:
        with self._begin() as work:
            known = work.state.handlers.get(handler)
            return known.drain_request if known else None

    def processes(self) -> Mapping[HandlerId, str]:
        with self._begin() as work:
            return {id: handler.process for id, handler in work.state.handlers.items() if handler.process is not None}
