"""The autocommit store in memory: each operation is a unit of work of its own."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from adapters.memory.claim import claimable, in_lanes, within_bytes
from adapters.memory.limits import limited_types, room_of
from adapters.memory.state import Row, State
from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.limited_claims import Room, groups_of, limited_claim, most_of
from application.ports.autocommit import StoredResult
from application.ports.limits import LimitedClaim, LimitedClaimRequest
from application.ports.queue import (
    ClaimedRecord,
    ClaimRequest,
    LeaseObservation,
    ProgressReport,
    RenewalResult,
    SettleResult,
)
from application.ports.task_repository import ANY_SIZE, TaskRecord, Version
from domain.failure import NO_ATTEMPT_LEFT
from domain.ids import Hold, TaskId, TypeName
from domain.lease import Lease
from domain.settlement import RunningLog, Settlement
from domain.status import Status
from domain.submission import Submission
from domain.task import Task


class MemoryAutocommitStore:
    """Implements application.ports.autocommit.AutocommitStore over the units of work that `begin` gives."""

    def __init__(self, begin: Callable[[], AbstractContextManager[MemoryUnitOfWork]]) -> None:
        self._begin = begin

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        with self._begin() as work:
            added = work.tasks.add(submissions)
            work.commit()
        return added

    def claim(self, lease: Lease, now: datetime, request: ClaimRequest) -> Sequence[ClaimedRecord]:
        with self._begin() as work:
            limited = limited_types(work.state)
            unlimited = {type: most for type, most in request.most.items() if type not in limited}
            claimed = _claim(work.state, lease, now, replace(request, most=unlimited))
            work.commit()
        return claimed

    def limited_types(self) -> Set[TypeName]:
        with self._begin() as work:
            return limited_types(work.state)

    def claim_limited(
        self, lease: Lease, now: datetime, request: LimitedClaimRequest, settlements: Sequence[Settlement] = ()
    ) -> LimitedClaim:
        with self._begin() as work:
            settled = work.queue.settled(settlements)
            rooms = {type: room_of(work.state, type) for type in {*request.types} & limited_types(work.state)}
            claimed: list[ClaimedRecord] = []
            for group in groups_of(most_of(rooms, request), rooms):
                rest = request.after(claimed)
                claimed += _claim_group(work.state, lease, now, rest.within(group), rooms)
            taken = Counter(each.task.type for each in claimed)
            moved = {type: room.moved_start(taken[type]) for type, room in rooms.items()}
            work.state.next_starts |= {type: next_start for type, next_start in moved.items() if next_start}
            work.commit()
        return limited_claim(claimed, rooms, request, settled)

    def settle(self, settlements: Sequence[Settlement]) -> SettleResult:
        with self._begin() as work:
            result = work.queue.settled(settlements)
            work.commit()
        return result

    def settle_unlocked(self, settlements: Sequence[Settlement]) -> SettleResult:
        return self.settle(settlements)

    def renew(self, holds: Sequence[Hold], lease: Lease) -> RenewalResult:
        with self._begin() as work:
            result = work.queue.renew(holds, lease)
            work.commit()
        return result

    def report(self, reports: Sequence[ProgressReport]) -> Sequence[Hold]:
        with self._begin() as work:
            locked = work.queue.report(reports)
            work.commit()
        return locked

    def report_logs(self, logs: Sequence[RunningLog]) -> Sequence[Hold]:
        with self._begin() as work:
            work.queue.report_logs(logs)
            work.commit()
        return []

    def observe_leases(self) -> LeaseObservation:
        with self._begin() as work:
            return LeaseObservation(work.queue.leases(), work.up_since)

    def lapsed(self, leases: Collection[Lease], limit: int, left_out: Collection[TaskId] = ()) -> Sequence[Task]:
        with self._begin() as work:
            return work.queue.lapsed(leases, limit, left_out)

    def get_many(self, ids: Collection[TaskId], max_bytes: int = ANY_SIZE) -> Mapping[TaskId, TaskRecord]:
        with self._begin() as work:
            found = {id: work.tasks.get(id, max_bytes) for id in ids}
        return {id: record for id, record in found.items() if record}

    def results(self, known: Mapping[TaskId, datetime | None], max_bytes: int) -> Mapping[TaskId, StoredResult]:
        with self._begin() as work:
            rows = [work.state.rows[id] for id in known if id in work.state.rows]
        found, total = {}, 0
        for row in rows:
            text = None if row.task.finished == known[row.task.id] else _result(row)
            is_first, total = total == 0, total + len((text or "").encode())
            within = text if is_first or total <= max_bytes else None
            found[row.task.id] = StoredResult(row.task.status, row.task.finished, within)
        return found

    def versions(self, ids: Collection[TaskId]) -> Mapping[TaskId, Version]:
        with self._begin() as work:
            return {id: work.state.rows[id].version for id in ids if id in work.state.rows}

    def changed(self, known: Mapping[TaskId, Version]) -> Mapping[TaskId, TaskRecord | None]:
        with self._begin() as work:
            rows = {id: work.state.rows.get(id) for id in known}
        return {id: _summary(row) for id, row in rows.items() if row is None or row.version != known[id]}


def _result(row: Row) -> str | None:
    return row.result or "null" if row.task.status is Status.DONE else None


def _summary(row: Row | None) -> TaskRecord | None:
    return None if row is None else TaskRecord(row.task, "{}", None, row.version, None, True, row.printed, row.key)


def _claim_group(
    state: State, lease: Lease, now: datetime, request: ClaimRequest, rooms: Mapping[TypeName, Room]
) -> Sequence[ClaimedRecord]:
    """Claim tasks of one type with lanes, or of several types without."""
    if request.limit <= 0 or request.max_bytes <= 0:
        return []
    [type, *_] = request.most
    if not rooms[type].limits.lane:
        return _claim(state, lease, now, request)
    chosen = list(in_lanes(state.rows.values(), now, request, type, rooms[type]))
    rows = list(within_bytes(chosen, request.max_bytes))
    claimed = _claim_rows(state, rows, lease, now, request)
    state.last_lanes |= {(type, each.task.priority): each.task.lane for each in claimed if each.task.lane is not None}
    return claimed


def _claim(state: State, lease: Lease, now: datetime, request: ClaimRequest) -> Sequence[ClaimedRecord]:
    """Claim what is requested, and set aside what has no attempt left."""
    return _claim_rows(state, list(claimable(state.rows.values(), now, request)), lease, now, request)


def _claim_rows(
    state: State, rows: Sequence[Row], lease: Lease, now: datetime, request: ClaimRequest
) -> Sequence[ClaimedRecord]:
    for row in rows:
        if not row.task.has_attempts_left:
            state.put_task(row.task.set_aside(now, NO_ATTEMPT_LEFT))
    return [
        _claimed(state, row, lease, now if nth < request.starting else None)
        for nth, row in enumerate(rows)
        if row.task.has_attempts_left
    ]


def _claimed(state: State, row: Row, lease: Lease, started: datetime | None) -> ClaimedRecord:
    task = row.task.claim(lease, started)
    state.put_task(task)
    return ClaimedRecord(task, row.args)
