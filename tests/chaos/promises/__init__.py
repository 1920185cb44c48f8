"""The promises of the contract: each is a function named after it, which yields how the history of a task breaks it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import TaskHistory
from tests.chaos.promises import answers, durability, leases, outcomes, starts

Promise = Callable[[TaskHistory, Circumstances], Iterator[str]]

PROMISES: Sequence[Promise] = (
    *durability.PROMISES,
    *starts.PROMISES,
    *outcomes.PROMISES,
    *leases.PROMISES,
    *answers.PROMISES,
)


class Violation(NamedTuple):
    """A broken promise, the task, and a sentence that says how it was broken."""

    promise: str
    task: TaskHistory
    how: str

    def __str__(self) -> str:
        return f"task {self.task.id}: {self.promise.replace('_', ' ')}; but {self.how}"


def violations(tasks: Iterable[TaskHistory], circumstances: Circumstances) -> list[Violation]:
    """Every violation of a promise by the history of one of these tasks."""
    return [
        Violation(promise.__name__, task, how)
        for task in tasks
        for promise in PROMISES
        for how in promise(task, circumstances)
    ]
