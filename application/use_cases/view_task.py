"""View a task: where it stands now, with its arguments and its result."""

from collections.abc import Sequence

from application.errors import UnknownTask
from application.ports.at_once import AtOnce
from application.ports.tasks import Stored
from application.retried import retried
from application.together import Together
from application.view import View, Viewer
from domain.ids import TaskId


class ViewTask:
    """UnknownTask where there is none of that id."""

    def __init__(self, storage: AtOnce, viewer: Viewer) -> None:
        self._storage = storage
        self._viewer = viewer
        self._stored = Together(self._found)

    @retried
    def __call__(self, id: TaskId) -> View:
        """The task."""
        stored = self._stored(id)
        if stored is None:
            raise UnknownTask(id)
        return self._viewer(stored)

    def _found(self, ids: Sequence[TaskId]) -> Sequence[Stored | None]:
        found = self._storage.several(ids)
        return [found.get(id) for id in ids]
