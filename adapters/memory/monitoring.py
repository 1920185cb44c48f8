"""Monitoring in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TypeVar

from adapters.memory.state import LivingHandler, State
from application.ports.monitoring import (
    DEAD_JANITOR_RETENTION,
    HandlerRecord,
    HeldTasks,
    JanitorRecord,
    Liveness,
    RunningTask,
)
from domain.ids import HandlerId, JanitorId, TypeName
from domain.status import Status
from domain.task import Task

Record = TypeVar("Record", HandlerRecord, JanitorRecord)


class MemoryMonitoring:
    """Implements application.ports.monitoring.Monitoring."""

    def __init__(self, state: State) -> None:
        self._state = state

    def handlers(self, now: datetime, max_silent: int) -> Sequence[HandlerRecord]:
        records = [_record(id, handler) for id, handler in self._state.handlers.items()]
        return _in_order(records, now, max_silent, {each.id: each.until or now for each in records})

    def held_tasks(self, limit: int) -> Mapping[HandlerId, HeldTasks]:
        running = [row.task for row in self._state.rows.values() if row.task.status is Status.RUNNING]
        handlers = {task.lease.handler for task in running if task.lease}
        return {
            handler: _held([task for task in running if task.lease and task.lease.handler == handler], limit)
            for handler in handlers
        }

    def oldest_due(self, now: datetime) -> Mapping[TypeName, datetime]:
        due = [row.task for row in self._state.rows.values() if row.task.is_due(now)]
        return {type: min(task.run_at for task in due if task.type == type) for type in {task.type for task in due}}

    def janitors(self, now: datetime, max_silent: int) -> Sequence[JanitorRecord]:
        records = list(self._state.janitors.values())
        return _in_order(records, now, max_silent, {each.id: each.last_seen for each in records})

    def renew_janitor(self, janitor: JanitorRecord) -> None:
        self._state.janitors[janitor.id] = janitor

    def withdraw_janitor(self, id: JanitorId) -> None:
        self._state.janitors.pop(id, None)

    def forget_dead_janitors(self, now: datetime) -> int:
        before = now - DEAD_JANITOR_RETENTION
        dead = [id for id, janitor in self._state.janitors.items() if janitor.last_seen <= before]
        for id in dead:
            del self._state.janitors[id]
        return len(dead)


def _in_order(
    records: Sequence[Record], now: datetime, max_silent: int, last: Mapping[HandlerId | JanitorId, datetime]
) -> Sequence[Record]:
    by_id = sorted(records, key=lambda record: record.id)
    silent = [record for record in by_id if record.liveness(now) is Liveness.SILENT]
    silent.sort(key=lambda record: last[record.id], reverse=True)
    return [record for record in by_id if record not in silent] + silent[:max_silent]


def _record(id: HandlerId, handler: LivingHandler) -> HandlerRecord:
    return HandlerRecord(
        id=id,
        until=handler.until,
        types=sorted(handler.types),
        is_draining=handler.is_draining,
        last_seen=None if handler.lease is None else handler.until - timedelta(seconds=handler.lease),
        **(asdict(handler.info) if handler.info else {}),
    )


def _held(tasks: Sequence[Task], limit: int) -> HeldTasks:
    started = [
        RunningTask(id=task.id, type=task.type, started=task.started, progress=task.progress)
        for task in tasks
        if task.started
    ]
    started.sort(key=lambda task: (task.started, task.id))
    return HeldTasks(started[:limit], len(started), len(tasks) - len(started))
