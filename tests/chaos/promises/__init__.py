"""The promises of the contract, each a function whose name says it; it tells how the history of a task breaks it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import TaskHistory
from tests.chaos.promises import answering, holding, keeping, settling, starting

Promise = Callable[[TaskHistory, Circumstances], Iterator[str]]

PROMISES: Sequence[Promise] = (
    *keeping.PROMISES,
    *starting.PROMISES,
    *settling.PROMISES,
    *holding.PROMISES,
    *answering.PROMISES,
)


class Violation(NamedTuple):
    """A promise that was broken, the task, and how."""

    promise: str
    task: TaskHistory
    how: str

    def __str__(self) -> str:
        return f"task {self.task.id}: {self.promise.replace('_', ' ')}; but {self.how}"


def violations(tasks: Iterable[TaskHistory], circumstances: Circumstances) -> list[Violation]:
    """Every promise that the history of one of these tasks breaks."""
    return [
        Violation(promise.__name__, task, how)
        for task in tasks
        for promise in PROMISES
        for how in promise(task, circumstances)
    ]
