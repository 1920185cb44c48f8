"""View a task: where it stands now, with its arguments and its result."""

from application.errors import UnknownTask
from application.ports.work import Begin
from application.view import View, Viewer
from domain.ids import TaskId


class ViewTask:
    """UnknownTask where there is none of that id."""

    def __init__(self, begin: Begin, viewer: Viewer) -> None:
        self._begin = begin
        self._viewer = viewer

    def __call__(self, id: TaskId) -> View:
        """The task."""
        with self._begin() as work:
            stored = work.tasks.get(id)
        if stored is None:
            raise UnknownTask(id)
        return self._viewer(stored)
