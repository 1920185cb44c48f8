"""Listing in memory."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from hashlib import blake2b
from itertools import accumulate

from adapters.memory.state import Row, State
from application.failure_groups import fits, masked_stored, stored_text
from application.ports import listing
from application.ports.listing import FAILED, Counts, CountsOfTerms, End, FailureGroup, Filter, Found, Part, Texts
from domain.failure import Error
from domain.ids import BatchId, TaskId, TypeName
from domain.status import Status
from domain.task import Task


class MemoryListing:
    """Implements application.ports.listing.Listing."""

    def __init__(self, state: State) -> None:
        self._state = state

    def search(self, filter: Filter, before: TaskId | None, limit: int) -> Found:
        newest_first = (self._state.rows[id] for id in sorted(self._state.rows, reverse=True))
        of_kind = [row for row in newest_first if _is_of_kind(row, filter) and (before is None or row.task.id < before)]
        looked, rest = of_kind[: listing.MAX_LOOKED_TASKS], of_kind[listing.MAX_LOOKED_TASKS :]
        return Found.first(
            limit, [row.task for row in looked if _fits(row, filter)], looked[-1].task.id if rest else None
        )

    def search_by_end(self, filter: Filter, after: End | None, limit: int) -> Sequence[Task]:
        rows = [row for row in self._state.rows.values() if _is_of_kind(row, filter) and _fits(row, filter)]
        ended = sorted((row.task for row in rows if row.task.finished), key=End.of)
        return [task for task in ended if after is None or End.of(task) > after][:limit]

    def first_failures(self, batch: BatchId, limit: int) -> Sequence[Task]:
        return self.search_by_end(Filter(batch=batch, statuses=FAILED), None, limit)

    def texts(
        self, ids: Sequence[TaskId], parts: Set[Part], max_bytes: int, max_each: int | None = None
    ) -> Mapping[TaskId, Texts]:
        all = {id: _texts(self._state.rows[id], parts) for id in ids if id in self._state.rows}
        texts = {id: each for id, each in all.items() if max_each is None or _size(each) <= max_each}
        totals = accumulate(map(_size, texts.values()))
        return {
            id: each
            for nth, ((id, each), total) in enumerate(zip(texts.items(), totals, strict=True))
            if nth == 0 or total <= max_bytes
        }

    def failure_groups(self, limit: int) -> Sequence[FailureGroup]:
        groups: dict[tuple[TypeName, int], list[Task]] = defaultdict(list)
        for task in (row.task for row in self._state.rows.values() if row.task.status is Status.FAILED):
            groups[task.type, _group(task.error)].append(task)
        largest = sorted(groups.items(), key=_size_and_newest, reverse=True)
        return [_failure_group(number, tasks) for (_, number), tasks in largest[:limit]]

    def counts(self) -> Counts:
        return _counts([row.task for row in self._state.rows.values()])

    def counts_of(self, terms: frozenset[int], limit: int) -> CountsOfTerms:
        of_each = [[row for row in self._state.rows.values() if term in row.terms] for term in sorted(terms)]
        rarest = sorted(sorted(of_each, key=len)[0], key=lambda row: row.task.id, reverse=True)
        matching = [row.task for row in rarest[:limit] if terms.issubset(row.terms)]
        return CountsOfTerms(_counts(matching), len(rarest) < limit)


def _counts(tasks: Sequence[Task]) -> Counts:
    return {type: Counter(task.status for task in tasks if task.type == type) for type in {t.type for t in tasks}}


def _texts(row: Row, parts: Set[Part]) -> Texts:
    return Texts(row.args if Part.ARGS in parts else None, row.result if Part.RESULT in parts else None)


def _size(texts: Texts) -> int:
    return sum(len(text.encode()) for text in texts if text)


def _is_of_kind(row: Row, filter: Filter) -> bool:
    task = row.task
    return (
        task.status in filter.possible_statuses
        and filter.type in (None, task.type)
        and (filter.ids is None or task.id in filter.ids)
        and filter.batch in (None, task.batch)
    )


def _fits(row: Row, filter: Filter) -> bool:
    task = row.task
    return (
        (filter.created_after is None or filter.created_after <= task.created)
        and (filter.created_before is None or task.created < filter.created_before)
        and (filter.finished_after is None or (task.finished is not None and filter.finished_after <= task.finished))
        and (filter.finished_before is None or (task.finished is not None and task.finished < filter.finished_before))
        and (filter.as_of is None or task.finished is None or task.finished <= filter.as_of)
        and filter.terms.issubset(row.terms)
        and fits(task.error, filter)
        and filter.failure_group in (None, _group(task.error))
    )


def _group(error: Error | None) -> int:
    """The number of the group of an error."""
    masked = masked_stored(stored_text(error)) if error else ""
    return int.from_bytes(blake2b(masked.encode(), digest_size=8).digest(), signed=True)


def _size_and_newest(group: tuple[object, Sequence[Task]]) -> tuple[int, TaskId]:
    """The number of tasks of a group, and the id of the newest one."""
    _, tasks = group
    return len(tasks), max(task.id for task in tasks)


def _failure_group(number: int, tasks: Sequence[Task]) -> FailureGroup:
    newest = max(tasks, key=lambda task: task.id)
    ends = [task.finished for task in tasks if task.finished]
    assert newest.error
    return FailureGroup(newest.type, number, newest.error, len(tasks), min(ends), max(ends))
