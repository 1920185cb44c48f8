"""Dependencies in memory."""

from collections.abc import Collection, Mapping, Sequence, Set

from adapters.memory.state import State
from application.ports.dependencies import Undecided
from domain.dependencies import Dependencies, Dependent, FailedParent, IfFailed
from domain.ids import BatchId, TaskId
from domain.status import Status


class MemoryDependencies:
    """Implements application.ports.dependencies.DependencyRepository. State notes which parents have changed."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, dependencies: Mapping[TaskId, Dependencies]) -> Set[TaskId]:
        for task, each in dependencies.items():
            self._state.add_dependencies(task, each)
        return {parent for each in dependencies.values() for parent in each.parents if parent not in self._state.rows}

    def after_batch(self, batch: BatchId, tasks: Collection[TaskId]) -> Set[TaskId]:
        found: set[TaskId] = set()
        left = self._follower_of(batch)
        while left := left - found:
            found |= left
            nexts = (self._state.dependents_of(id) | self._follower_of_batch_of(id) for id in left)
            left = frozenset().union(*nexts)
        return found.intersection(tasks)

    def parents_among(self, tasks: Collection[TaskId]) -> Mapping[TaskId, Set[TaskId]]:
        known, among = self._state.dependencies, {*tasks}
        found = {task: known[task].parents & among for task in among if task in known}
        return {task: parents for task, parents in found.items() if parents}

    def failed_by(self, parents: Collection[TaskId], limit: int) -> Sequence[Dependent]:
        found = sorted({child for parent in parents for child in self._state.dependents_of(parent)})
        undecided = (self._dependent(child) for child in found if self._is_undecided(child))
        return [each for each in undecided if each.task.status is Status.FAILED][:limit]

    def take_undecided(self, limit: int, left_out: Collection[TaskId] = ()) -> Undecided:
        """Look at all changes, whatever the limit is."""
        changed = self._state.changed_parents
        found = {child for parent in changed for child in self._state.dependents_of(parent)}
        undecided = sorted(child for child in found if self._is_undecided(child))
        skipped = {*undecided}.intersection(left_out)
        self._state.changed_parents = [each for each in changed if skipped & self._state.dependents_of(each)]
        return Undecided([self._dependent(child) for child in undecided if child not in skipped])

    def put_off(self, dependents: Collection[TaskId]) -> None:
        for id in dependents:
            self._state.note_parent_of(id)

    def _follower_of(self, batch: BatchId | None) -> frozenset[TaskId]:
        row = self._state.batches.get(batch) if batch is not None else None
        return frozenset() if row is None or row.batch.then is None else frozenset({row.batch.then})

    def _follower_of_batch_of(self, id: TaskId) -> frozenset[TaskId]:
        row = self._state.rows.get(id)
        return self._follower_of(row.task.batch) if row else frozenset()

    def _is_undecided(self, id: TaskId) -> bool:
        row = self._state.rows.get(id)
        return row is not None and row.task.is_blocked and row.task.status in (Status.WAITING, Status.FAILED)

    def _dependent(self, id: TaskId) -> Dependent:
        known, rows = self._state.dependencies[id], self._state.rows
        statuses = {parent: rows[parent].task.status if parent in rows else None for parent in sorted(known.parents)}
        failed = [FailedParent(parent, status) for parent, status in statuses.items() if _has_failed(status)]
        is_ready = all(status is None or status.is_final for status in statuses.values())
        matters = known.if_failed is IfFailed.FAIL and failed
        return Dependent(rows[id].task, known.run_at, is_ready, failed[0] if matters else None)


def _has_failed(status: Status | None) -> bool:
    return status in (None, Status.FAILED, Status.CANCELLED)
