"""The functions that can be run as tasks. Change them, add yours, and start the handler again."""

from typing import Any, TypedDict

from flask_tasks import task


class Arguments(TypedDict):
    """What a task of the type `default` must be given; it may be given more."""

    required_arg: Any


def ExecuteWhenRunningTask(task_id: int, args: Arguments) -> dict[str, str]:
    """Says which task ran, and with what."""
    return {"message": f"Task {task_id} ran with required_arg: {args['required_arg']}"}


@task
def add(a: int | float, b: int | float) -> int | float:
    """The sum of two numbers. That of two integers is exact, whatever their size."""
    return a + b
