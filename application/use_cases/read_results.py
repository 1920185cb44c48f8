"""Read the arguments and results of the done tasks of a batch, in the order of their ends."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from application.ports.listing import End, Filter, Part, Texts
from application.ports.unit_of_work import Begin
from domain.ids import BatchId, TaskId
from domain.status import Status
from domain.task import Task

PAGE_TASKS = 100
MAX_TASK_BYTES = 128 * 1024
"""Bytes of the arguments and the result of one task; larger ones are not read."""
DONE = frozenset({Status.DONE})


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Done tasks by their ends, and the texts of those that were asked for and are not too large."""

    tasks: Sequence[Task]
    texts: Mapping[TaskId, Texts]


class ReadResults:
    """Reads results."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    def __call__(self, batch: BatchId, after: End | None, known: Set[TaskId]) -> ResultPage:
        """One page behind `after`, if it is given; empty at the end. The texts of known tasks are not read."""
        with self._begin() as work:
            tasks = work.listing.search_by_end(Filter(batch=batch, statuses=DONE), after, PAGE_TASKS)
            ids = [task.id for task in tasks if task.id not in known]
            # The bound of all together is never met before that of each.
            texts = work.listing.texts(ids, frozenset(Part), PAGE_TASKS * MAX_TASK_BYTES, MAX_TASK_BYTES)
        return ResultPage(tasks, texts)
