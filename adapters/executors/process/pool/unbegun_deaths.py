"""Counts the children that died with a run in hand which they had not begun."""

from collections import deque

from domain.ids import TaskId

MAX_UNBEGUN_DEATHS = 3
"""Children that may die with a run in hand before its function begins."""
REMEMBERED_DEATHS = 1_000


class UnbegunDeaths:
    """The deaths by task, since a run may be given back in between and be claimed again."""

    def __init__(self) -> None:
        self._tasks: deque[TaskId] = deque(maxlen=REMEMBERED_DEATHS)

    def are_too_many(self, task: TaskId) -> bool:
        """Count another one, and tell whether there were as many as may be. Then the count begins anew."""
        self._tasks.append(task)
        if self._tasks.count(task) < MAX_UNBEGUN_DEATHS:
            return False
        self._tasks = deque((each for each in self._tasks if each != task), REMEMBERED_DEATHS)
        return True
