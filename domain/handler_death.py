"""The death of a handler: its started tasks become suspects, and those that were suspects already are charged.

A function can end its handler, and takes innocent tasks with it. A suspect starts alone with others of its kind, so the
next death tells which one it was.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.settlement import Settlement
from domain.task import Task


def settlements_after_death(running: Sequence[Task], now: datetime) -> Sequence[Settlement]:
    """The settlements of all tasks that a dead handler held."""
    is_explained = explains_death(running)
    return [settlement_after_death(task, now, is_explained) for task in running]


def explains_death(running: Sequence[Task]) -> bool:
    """Whether a suspect was among the started tasks of a dead handler."""
    return any(task.suspect and task.started for task in running)


def settlement_after_death(task: Task, now: datetime, is_explained: bool) -> Settlement:
    """The settlement of a task whose handler has died.

    A started task is charged with a loss if it was a suspect, or if none was. The others are spared. A task that had
    not started is released, and is no suspect.
    """
    if task.started is None:
        return Settlement.released(task, now)
    settle = Settlement.spared if is_explained and not task.suspect else Settlement.lost
    return settle(task.suspected(), now)
