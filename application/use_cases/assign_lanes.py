"""Assign lanes: give a lane to tasks that came to wait before their type had lanes, one batch at a time."""

from application.conflict_retry import retry_on_conflict
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic

BATCH_TASKS = 10_000


class AssignLanes:
    """Assigns the lane of the tasks that lack the argument. Skips what is locked."""

    def __init__(self, begin: Begin, notifier: Notifier) -> None:
        self._begin = begin
        self._notifier = notifier

    @retry_on_conflict
    def __call__(self, limit: int = BATCH_TASKS) -> int:
        """Assign one batch, and return its size. After a full one there may be more tasks without a lane."""
        with self._begin() as work:
            number = work.limits.assign_lanes(limit)
            work.commit()
        if number:
            self._notifier.notify(Topic.WAITING)
        return number
