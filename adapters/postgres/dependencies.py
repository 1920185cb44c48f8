"""Dependencies in PostgreSQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import Any

from sqlalchemy import Connection

from adapters.postgres import rows, statements
from adapters.postgres.arrays import array
from application.ports.dependencies import Undecided
from domain.dependencies import Dependencies, Dependent, FailedParent
from domain.ids import BatchId, TaskId
from domain.status import Status

MAX_ID = 2**63 - 1
PAIRS = 100
"""Pairs of a change and a dependent for each dependent of the limit: many changes may lead to the same ones."""
HAVE_FAILED = (Status.FAILED, Status.CANCELLED)
Range = tuple[TaskId, TaskId, TaskId]
"""A parent, and the first and the last id of those of its dependents that are to be looked at."""


class PostgresDependencies:
    """Implements application.ports.dependencies.DependencyRepository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, dependencies: Mapping[TaskId, Dependencies]) -> Set[TaskId]:
        parents = {parent for each in dependencies.values() for parent in each.parents}
        marked = self._connection.execute(statements.MARK_PARENTS, {"parents": array(parents)})
        # The end of these notes that they have changed, after the commit of this transaction.
        others = parents - {row.id for row in marked if not row.has_finished}
        statuses = {row.id: row.status for row in self._connection.execute(*_statuses(others))} if others else {}
        if unknown := {parent for parent, status in statuses.items() if status is None}:
            return unknown
        edges = [(task, parent) for task, each in dependencies.items() for parent in each.parents]
        named = {"dependents": array(task for task, _ in edges), "parents": array(parent for _, parent in edges)}
        self._connection.execute(statements.ADD_DEPENDENCIES, named)
        self._note(_noted(dependencies, statuses))
        return set()

    def after_batch(self, batch: BatchId, tasks: Collection[TaskId]) -> Set[TaskId]:
        if not self._connection.execute(statements.LOCK_GRAPH, {"batch": batch}).all():
            return frozenset()
        found = self._connection.execute(statements.AFTER_BATCH, {"batch": batch, "tasks": array(tasks)})
        return {TaskId(id) for id in found.scalars()}

    def parents_among(self, tasks: Collection[TaskId]) -> Mapping[TaskId, Set[TaskId]]:
        found = self._connection.execute(statements.PARENTS_AMONG, {"tasks": array(tasks)})
        return {TaskId(row.dependent): {*row.parents} for row in found}

    def failed_by(self, parents: Collection[TaskId], limit: int) -> Sequence[Dependent]:
        found = self._connection.execute(statements.LOCK_FAILED_BY, {"parents": array(parents), "limit": limit})
        ids = found.scalars().all()
        return self._dependents(ids, new=ids) if ids else []

    def take_undecided(self, limit: int, left_out: Collection[TaskId] = ()) -> Undecided:
        bounds = {"limit": limit, "max_pairs": limit * PAIRS, "max_id": MAX_ID, "left_out": array(left_out)}
        found = self._connection.execute(statements.TAKE_UNDECIDED, bounds).all()
        if not found:
            return Undecided()
        changes = {row.change: row for row in found}
        first = [row for row in found if row.dependent is not None]
        free = [row.dependent for row in first if row.is_free]
        # A note of some dependents alone is about these: they are new, blocked again, or were locked before.
        new = [row.dependent for row in first if row.is_free and row.is_new]
        dependents = self._dependents(free, new, [row.parent for row in changes.values()]) if free else []
        self._connection.execute(statements.FORGET_CHANGES, {"changes": array(changes)})
        end = max(row.dependent for row in first) if len(first) == limit else MAX_ID
        rest = [rest for row in changes.values() for rest in _rest(row, end)]
        skipped = [(row.parent, row.dependent, row.dependent) for row in first if not row.is_free]
        # The rest goes behind the changes that were not taken, so that those have their turn.
        self._note(rest + skipped)
        is_full = bool(rest) or len(changes) == limit
        # Where all are locked, looking again at once would find the same.
        return Undecided(dependents, is_full and len(skipped) < limit)

    def put_off(self, dependents: Collection[TaskId]) -> None:
        if dependents:
            self._connection.execute(statements.PUT_OFF, {"dependents": array(dependents)})

    def _dependents(
        self, ids: Collection[TaskId], new: Collection[TaskId], changed: Collection[TaskId] = ()
    ) -> Sequence[Dependent]:
        """The dependents, with all failed parents of new ones, and of others at first only those that have changed."""
        named = {"ids": array(ids), "new": array(new), "changed": array(changed)}
        return [_dependent(row) for row in self._connection.execute(statements.DEPENDENTS, named)]

    def _note(self, ranges: Collection[Range]) -> None:
        if ranges:
            parents, first, last = (array(column) for column in zip(*ranges, strict=True))
            named = {"parents": parents, "first": first, "last": last}
            self._connection.execute(statements.NOTE_CHANGED_PARENTS, named)


def _statuses(parents: Iterable[TaskId]) -> tuple[Any, Mapping[str, str]]:
    return statements.PARENT_STATUSES, {"parents": array(parents)}


def _noted(dependencies: Mapping[TaskId, Dependencies], statuses: Mapping[TaskId, str]) -> Sequence[Range]:
    """One parent of each dependent that may have changed already, preferably one that has failed."""
    found: dict[TaskId, list[TaskId]] = {}
    for task, each in dependencies.items():
        if changed := each.parents & statuses.keys():
            chosen = min(changed, key=lambda parent: (statuses[parent] not in HAVE_FAILED, parent))
            found.setdefault(chosen, []).append(task)
    return [(parent, min(tasks), max(tasks)) for parent, tasks in found.items()]


def _rest(change: Any, end: int) -> Sequence[Range]:
    """The dependents of a change behind those that were looked at, and behind the last one on which was decided."""
    if change.is_cut or change.last_pair > end:
        return [(change.parent, min(change.last_pair, end) + 1, change.last)]
    return []


def _dependent(row: Any) -> Dependent:
    failed = row.failed_parent and FailedParent(row.failed_parent, rows.STATUSES.get(row.failed_status))
    return Dependent(rows.task(row), row.wanted_run_at, row.is_ready, failed)
