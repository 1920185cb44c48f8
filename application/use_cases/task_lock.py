"""The lock on one task that cancelling, retrying and deleting share."""

from collections.abc import Iterator
from contextlib import contextmanager

from application.errors import UnknownTask
from application.ports.task_repository import TaskRecord
from application.ports.unit_of_work import Begin, UnitOfWork
from domain.ids import TaskId
from domain.task import Task


@contextmanager
def locked(begin: Begin, id: TaskId) -> Iterator[tuple[UnitOfWork, Task]]:
    """A unit of work that has the task locked, and the task. Raises UnknownTask: the task does not exist."""
    with begin() as work:
        found = work.tasks.lock(id)
        if not found:
            raise UnknownTask(id)
        yield work, found[0]


def stored(work: UnitOfWork, id: TaskId) -> TaskRecord:
    """The record of a task that this unit of work has locked, with the changes of this unit of work."""
    found = work.tasks.get(id)
    assert found is not None
    return found
