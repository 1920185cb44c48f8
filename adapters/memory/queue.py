"""The queue in memory: every transition is the aggregate's own."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.state import Row, State
from application.ports.queue import ClaimedRecord, ClaimRequest, ProgressReport, RenewalResult
from domain.ids import HandlerId, Hold, TaskId, TypeName
from domain.lease import Lease
from domain.settlement import Attempt, LateLog, Outcome, Settlement
from domain.status import Status
from domain.task import Task


class MemoryQueue:
    """Implements application.ports.queue.Queue."""

    def __init__(self, state: State, up_since: datetime) -> None:
        self._state = state
        self._up_since = up_since

    def claim(self, lease: Lease, now: datetime, wanted: ClaimRequest) -> Sequence[ClaimedRecord]:
        due = [row for row in self._state.rows.values() if is_wanted(row.task, wanted) and row.task.is_due(now)]
        free = few_slow(in_turns(most_of_each(due, wanted.most), list(wanted.most)), wanted)[: wanted.limit]
        chosen = enumerate(up_to(free, wanted.max_bytes))
        return [self._claim(row, lease, now if nth < wanted.starting else None) for nth, row in chosen]

    def renew(self, holds: Sequence[Hold], lease: Lease) -> RenewalResult:
        lost = self.lost(holds)
        for hold in set(holds) - set(lost):
            self._put(replace(self._state.rows[hold.task].task, lease=lease))
        return RenewalResult(lost)

    def lost(self, holds: Sequence[Hold]) -> Sequence[Hold]:
        return [hold for hold in holds if not self._is_held(hold)]

    def held_by(self, handler: HandlerId) -> Sequence[Hold]:
        return [task.hold for task in self._running() if task.lease and task.lease.handler == handler]

    def report(self, reports: Sequence[ProgressReport]) -> None:
        for report in reports:
            if self._is_held(report.hold):
                task = self._state.rows[report.hold.task].task
                self._put(task.reported(report.started, report.progress))

    def settle(self, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        return [settlement.task.id for settlement in settlements if not self._settle(settlement)]

    def record_late_logs(self, late_logs: Sequence[LateLog]) -> None:
        for each in late_logs:
            if each.hold.task in self._state.rows:
                self._state.attempts[each.hold] = self._with(each)

    def lapsed(self, now: datetime, limit: int) -> Sequence[Task]:
        lapsed = [task for task in self._running() if task.lease and task.lease.has_lapsed(now)]
        return sorted(lapsed, key=lambda task: (task.lease and task.lease.until, task.id))[:limit]

    def running_under(self, handler: HandlerId, limit: int) -> Sequence[Task]:
        return [self._state.rows[hold.task].task for hold in self.held_by(handler)[:limit]]

    def up_since(self) -> datetime:
        return self._up_since

    def _running(self) -> Sequence[Task]:
        return [row.task for row in self._state.rows.values() if row.task.status is Status.RUNNING]

    def _claim(self, row: Row, lease: Lease, started: datetime | None) -> ClaimedRecord:
        task = row.task.claim(lease, started)
        self._put(task)
        return ClaimedRecord(task, row.args)

    def _settle(self, settlement: Settlement) -> bool:
        row = self._state.rows.get(settlement.task.id)
        if row is None:
            return False
        after = replace(row, task=settlement.task, result=settlement.result)
        if not self._is_held(after.task.hold):
            return row == after
        self._state.put(after)
        if settlement.attempt:
            self._state.attempts[after.task.id, settlement.attempt.claim] = settlement.attempt
        return True

    def _with(self, afterword: LateLog) -> Attempt:
        task, record = self._state.rows[afterword.hold.task].task, afterword.record
        if known := self._state.attempts.get(afterword.hold):
            return replace(known, log=record.log)
        was_cancelled = task.status is Status.CANCELLED and task.hold == afterword.hold
        return replace(record, outcome=Outcome.CANCELLED) if was_cancelled else record

    def _is_held(self, hold: Hold) -> bool:
        row = self._state.rows.get(hold.task)
        return row is not None and row.task.status is Status.RUNNING and row.task.hold == hold

    def _put(self, task: Task) -> None:
        self._state.put(replace(self._state.rows[task.id], task=task))


def is_wanted(task: Task, wanted: ClaimRequest) -> bool:
    """Whether it is of a wanted type, and stands behind the mark if there is one."""
    cursor = wanted.cursors.get((task.type, task.priority))
    return task.type in wanted.most and (cursor is None or (task.run_at, task.id) > cursor)


def most_of_each(rows: Iterable[Row], wanted: Mapping[TypeName, int]) -> Iterator[Row]:
    """The first of each type, as many as are wanted of it; rows of one type stay in the order of claiming."""
    taken: Counter[TypeName] = Counter()
    for row in sorted(rows, key=lambda row: (-row.task.priority, row.task.run_at, row.task.id)):
        taken[row.task.type] += 1
        if taken[row.task.type] <= wanted[row.task.type]:
            yield row


def in_turns(rows: Iterable[Row], types: Sequence[TypeName]) -> Sequence[Row]:
    """Higher priority first, and within one priority one of each type, then another of each, in the order given."""
    turns: Counter[tuple[TypeName, int]] = Counter()

    def place(row: Row) -> tuple[int, int, int]:
        pair = row.task.type, row.task.priority
        turns[pair] += 1
        return -row.task.priority, turns[pair], types.index(row.task.type)

    return sorted(rows, key=place)


def few_slow(rows: Sequence[Row], wanted: ClaimRequest) -> Sequence[Row]:
    """All but those of slow types that are too many."""
    slow = [row.task.id for row in rows if row.task.type in wanted.slow]
    return [row for row in rows if row.task.id not in slow[wanted.max_slow :]]


def up_to(rows: Sequence[Row], max_bytes: int) -> Iterator[Row]:
    """The first rows whose arguments have no more bytes together; the very first in any case."""
    total = 0
    for nth, row in enumerate(rows):
        total += len(row.args.encode())
        if nth and total > max_bytes:
            return
        yield row
