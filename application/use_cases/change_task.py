"""What cancelling, retrying and deleting share: one task, locked, as it stands."""

from collections.abc import Iterator
from contextlib import contextmanager

from application.errors import UnknownTask
from application.ports.task_repository import TaskRecord
from application.ports.unit_of_work import Begin, UnitOfWork
from domain.ids import TaskId
from domain.task import Task


@contextmanager
def locked(begin: Begin, id: TaskId) -> Iterator[tuple[UnitOfWork, Task]]:
    """A work in which nobody else changes the task. UnknownTask where there is none of that id."""
    with begin() as work:
        found = work.tasks.lock(id)
        if not found:
            raise UnknownTask(id)
        yield work, found[0]


def stored(work: UnitOfWork, id: TaskId) -> TaskRecord:
    """The task as this work leaves it, which has it locked."""
    found = work.tasks.get(id)
    assert found is not None
    return found
