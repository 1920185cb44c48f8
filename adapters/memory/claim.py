"""The claim in plain Python: the tasks that AutocommitStore.claim takes, and their order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from adapters.memory.state import Row
from application.ports.queue import ClaimRequest
from domain.ids import TypeName
from domain.task import Task


def claimable(rows: Iterable[Row], now: datetime, request: ClaimRequest) -> Iterator[Row]:
    """Yield the rows that a claim of that moment takes, in the order of claiming."""
    due = [row for row in rows if is_requested(row.task, request) and row.task.is_due(now)]
    in_order = in_turns(first_of_each_type(due, request.most), list(request.most))
    return within_bytes(without_excess_slow(in_order, request)[: request.limit], request.max_bytes)


def is_requested(task: Task, request: ClaimRequest) -> bool:
    """Return whether the task is of a requested type, and stands behind the cursor of its pair if there is one."""
    cursor = request.cursors.get((task.type, task.priority))
    return task.type in request.most and (cursor is None or (task.run_at, task.id) > cursor)


def first_of_each_type(rows: Iterable[Row], most: Mapping[TypeName, int]) -> Iterator[Row]:
    """Yield the first rows of each type, at most as many as given, by priority, then `run_at`, then id."""
    taken: Counter[TypeName] = Counter()
    for row in sorted(rows, key=lambda row: (-row.task.priority, row.task.run_at, row.task.id)):
        taken[row.task.type] += 1
        if taken[row.task.type] <= most[row.task.type]:
            yield row


def in_turns(rows: Iterable[Row], types: Sequence[TypeName]) -> Sequence[Row]:
    """Sort rows by priority; within a priority the types take turns in the order given, one row a turn."""
    turns: Counter[tuple[TypeName, int]] = Counter()

    def rank(row: Row) -> tuple[int, int, int]:
        pair = row.task.type, row.task.priority
        turns[pair] += 1
        return -row.task.priority, turns[pair], types.index(row.task.type)

    return sorted(rows, key=rank)


def without_excess_slow(rows: Sequence[Row], request: ClaimRequest) -> Sequence[Row]:
    """Return the rows without those of slow types beyond the first `max_slow`."""
    slow = [row.task.id for row in rows if row.task.type in request.slow]
    excess = set(slow[request.max_slow :])
    return [row for row in rows if row.task.id not in excess]


def within_bytes(rows: Sequence[Row], max_bytes: int) -> Iterator[Row]:
    """Yield the first rows whose arguments have at most that many bytes together; the very first in any case."""
    total = 0
    for nth, row in enumerate(rows):
        total += len(row.args.encode())
        if nth and total > max_bytes:
            return
        yield row
