"""Waiting for a task or a batch, across the requests that this takes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from flask_tasks.client.backoff import Clock
from flask_tasks.client.errors import NotFinished, TaskFailed
from flask_tasks.client.task import Task

if TYPE_CHECKING:
    from flask_tasks.client.transport import Response


class MayFinish(Protocol):
    """A value of a task or a batch."""

    @property
    def is_final(self) -> bool:
        """Whether it has finished."""
        ...


T = TypeVar("T", bound=MayFinish)


def until_final(
    answer: "Response",
    convert: Callable[[Any], T],
    ask: "Callable[[T, float], Response]",
    deadline: float,
    clock: Clock,
) -> T:
    """Return the finished value, or the last one before the deadline.

    - `answer`: the first answer.
    - `ask`: request the value again, and let the service wait for a number of seconds.
    - `deadline`: a monotonic time of the clock.
    """
    while not (value := answer.read(convert)).is_final:
        if (left := deadline - clock.monotonic()) <= 0:
            break
        clock.sleep(min(answer.retry_after, left))
        answer = ask(value, deadline - clock.monotonic())
    return value


def result_of(task: Task) -> Any:
    """Return the result of a task. Raises TaskFailed, NotFinished: it has none."""
    if task.status == "done":
        return task.result
    raise TaskFailed(task) if task.is_final else NotFinished(task)
