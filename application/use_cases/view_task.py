"""View a task with its arguments and its result."""

from collections.abc import Sequence

from application.coalescing import Coalesced
from application.conflict_retry import retry_on_conflict
from application.errors import UnknownTask
from application.ports.autocommit import AutocommitStore
from application.ports.task_repository import LARGE_BYTES, TaskRecord
from application.view import View, Viewer
from domain.ids import TaskId


class ViewTask:
    """Views one task. Calls of the same moment read their tasks together, but for the large ones.

    Raises UnknownTask: the task does not exist.
    """

    def __init__(self, storage: AutocommitStore, viewer: Viewer) -> None:
        self._storage = storage
        self._viewer = viewer
        self._find = Coalesced(self._found)
        self._find_large = Coalesced(self._found_one_by_one)

    @retry_on_conflict
    def __call__(self, id: TaskId) -> View:
        """The present view of the task."""
        stored = self._find(id)
        if stored and stored.is_summary:
            stored = self._find_large(id)
        if stored is None:
            raise UnknownTask(id)
        return self._viewer(stored)

    @retry_on_conflict
    def without_large(self, id: TaskId) -> View:
        """The present view of the task, which is a summary if it is large."""
        stored = self._find(id)
        if stored is None:
            raise UnknownTask(id)
        return self._viewer(stored)

    def _found(self, ids: Sequence[TaskId]) -> Sequence[TaskRecord | None]:
        found = self._storage.get_many(ids, LARGE_BYTES)
        return [found.get(id) for id in ids]

    def _found_one_by_one(self, ids: Sequence[TaskId]) -> Sequence[TaskRecord | None]:
        found = {id: self._storage.get_many([id]).get(id) for id in {*ids}}
        return [found[id] for id in ids]
