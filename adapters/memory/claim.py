"""The claim in plain Python: the tasks that AutocommitStore.claim takes, and their order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from adapters.memory.state import Row
from application.limited_claims import Room
from application.ports.queue import ClaimRequest
from domain.ids import NO_LANE, Lane, TypeName
from domain.task import Task


def claimable(rows: Iterable[Row], now: datetime, request: ClaimRequest) -> Iterator[Row]:
    """Yield the rows that a claim of that moment takes, in the order of claiming."""
    due = [row for row in rows if is_requested(row.task, request) and row.task.is_due(now)]
    in_order = in_turns(first_of_each_type(due, request.most), list(request.most))
    return within_bytes(without_excess_slow(in_order, request)[: request.limit], request.max_bytes)


def in_lanes(rows: Iterable[Row], now: datetime, request: ClaimRequest, type: TypeName, room: Room) -> Iterator[Row]:
    """Yield the rows of a type with lanes that a claim of that moment takes, in the order of claiming."""
    due = [row for row in rows if row.task.type == type and row.task.is_due(now) and row.task.lane is not None]
    most = min(request.most[type], request.limit)
    running, taken = room.places_in_lanes(), 0
    for priority in sorted({row.task.priority for row in due}, reverse=True):
        turns = _in_turns_of_lanes([row for row in due if row.task.priority == priority], room.last_lanes.get(priority))
        for row in turns:
            lane = row.task.lane or NO_LANE
            places = running.get(lane, room.limits.places_in_lane(0))
            if places > 0 and taken < most:
                running = {**running, lane: places - 1}
                taken += 1
                yield row


def _in_turns_of_lanes(rows: Iterable[Row], last: Lane | None) -> Sequence[Row]:
    """Sort rows of one priority: the lanes take turns, beginning behind the last one, one row a turn."""
    turns: Counter[Lane | None] = Counter()

    def rank(row: Row) -> tuple[int, bool, bytes]:
        turns[row.task.lane] += 1
        lane = row.task.lane or NO_LANE
        return turns[row.task.lane], last is not None and lane.encode() <= last.encode(), lane.encode()

    return sorted(sorted(rows, key=lambda row: (row.task.run_at, row.task.id)), key=rank)


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
