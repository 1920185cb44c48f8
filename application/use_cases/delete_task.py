"""Delete a task, with all that is kept of it."""

from application.ports.work import Begin
from application.retried import retried
from application.use_cases.change_task import locked
from domain.ids import TaskId


class DeleteTask:
    """UnknownTask where there is none; InvalidTransition while it runs."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    @retried
    def __call__(self, id: TaskId) -> None:
        """After: unknown."""
        with locked(self._begin, id) as (work, task):
            task.check_deletable()
            work.tasks.remove(id)
            work.commit()
