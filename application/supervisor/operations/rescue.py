"""Take back what other handlers held that are gone, as janitors do."""

import random
from collections.abc import Callable, Sequence
from math import inf

from application.supervisor.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from application.use_cases.settle_lost import BATCH_TASKS
from domain.task import Task

DEAD_POLL_SECONDS = 2.0
"""Seconds between two looks for handlers of this machine that have ended."""


class RescueTasks:
    """Due every so many seconds, and at once after a full batch."""

    def __init__(self, context: Context, take_back: Callable[[], Sequence[Task]], every: float) -> None:
        self._context = context
        self._state = context.state
        self._take_back = take_back
        self._every = every
        self._timer = context.timer()

    def due_in(self) -> float:
        return inf if self._state.draining or not self._state.published else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        self._timer.set(self._every)

        def then(tasks: Sequence[Task]) -> None:
            self._timer.set(self._every * random.uniform(0.75, 1.25) if len(tasks) < BATCH_TASKS else 0)

        runner.send(self._take_back, then)


def rescue_lapsed(context: Context, rescue: Callable[[], Sequence[Task]]) -> RescueTasks:
    """What is held under lapsed leases, three times in a lease."""
    return RescueTasks(context, rescue, context.identity.lease / 3)


def rescue_from_dead(context: Context, bury: Callable[[], Sequence[Task]]) -> RescueTasks:
    """What is held by processes that were seen to end."""
    return RescueTasks(context, bury, DEAD_POLL_SECONDS)
