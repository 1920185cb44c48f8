"""View the log of a task: how its starts ended, and what they printed."""

from collections.abc import Sequence

from application.conflict_retry import retry_on_conflict
from application.errors import UnknownTask
from application.ports.unit_of_work import Begin
from domain.ids import TaskId
from domain.settlement import Attempt


class ViewLog:
    """UnknownTask where there is none of that id."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    @retry_on_conflict
    def __call__(self, id: TaskId) -> Sequence[Attempt]:
        """The records of its last starts that failed, were lost or printed anything, the first one first."""
        with self._begin() as work:
            attempts = work.tasks.attempts(id)
            if not attempts and work.tasks.get(id) is None:
                raise UnknownTask(id)
        return attempts
