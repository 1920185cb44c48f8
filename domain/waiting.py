"""The reason why a waiting task has not started yet."""

from datetime import datetime
from enum import StrEnum

from domain.status import Status
from domain.task import Task


class WaitingFor(StrEnum):
    """The event that a waiting task waits for."""

    TASKS = "tasks"
    HANDLER = "handler"
    RUN_AT = "run_at"
    NO_HANDLER_FOR_TYPE = "no_handler_for_type"
    PAUSED = "paused"
    LIMIT = "limit"
    RATE = "rate"


def waiting_for(
    task: Task, now: datetime, has_live_handler: bool, held_back_by: WaitingFor | None = None
) -> WaitingFor | None:
    """The event that the task waits for; None if it does not wait. `held_back_by`: a limit of its type."""
    if task.status is not Status.WAITING:
        return None
    if task.is_blocked:
        return WaitingFor.TASKS
    if not task.is_due(now):
        return WaitingFor.RUN_AT
    if not has_live_handler:
        return WaitingFor.NO_HANDLER_FOR_TYPE
    return held_back_by or WaitingFor.HANDLER
