"""View the log of a task: the records of its starts, with their output."""

from collections.abc import Sequence

from application.conflict_retry import retry_on_conflict
from application.errors import UnknownTask
from application.ports.unit_of_work import Begin
from domain.ids import TaskId
from domain.settlement import Attempt


class ViewLog:
    """Reads the records of the starts of one task.

    Raises UnknownTask: the task does not exist.
    """

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    @retry_on_conflict
    def __call__(self, id: TaskId) -> Sequence[Attempt]:
        """The records of the last starts that failed, were lost or printed something, the oldest first."""
        with self._begin() as work:
            attempts = work.tasks.attempts(id)
            if not attempts and work.tasks.get(id, max_bytes=0) is None:
                raise UnknownTask(id)
        return attempts
