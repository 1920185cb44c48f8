"""Pending work in memory."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime

from adapters.memory.unit_of_work import MemoryUnitOfWork
from domain.ids import HandlerId


class MemoryPendingWork:
    """Implements application.ports.pending_work.PendingWork over the units of work that `begin` gives."""

    def __init__(self, begin: Callable[[], AbstractContextManager[MemoryUnitOfWork]]) -> None:
        self._begin = begin

    def has_expired(self, now: datetime) -> bool:
        with self._begin() as work:
            return any(row.task.may_expire(now) for row in work.state.rows.values())

    def next_schedule_work(self, now: datetime) -> datetime | None:
        with self._begin() as work:
            before = work.schedules.lock()
            work.schedules.review(now)
            if work.schedules.lock() != before:
                return now
            return min((each.next for each in before if each.abandoned is None), default=None)

    def processes(self) -> Mapping[HandlerId, str]:
        with self._begin() as work:
            return {id: handler.process for id, handler in work.state.handlers.items() if handler.process is not None}
