"""Rescue tasks of other handlers from time to time, by the use cases that janitors use too."""

import random
from collections.abc import Callable, Sequence
from math import inf

from application.ports.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from application.use_cases.rescue import Rescue
from application.use_cases.settle_lost import BATCH_TASKS
from domain.task import Task

DEAD_POLL_SECONDS = 2.0
"""Seconds between two polls for handlers of this machine whose processes have ended."""


class RescueTasks:
    """Due every `every` seconds, give or take a quarter, and at once after a full batch.

    `next_in`: the seconds after which the rescue wants to be called again; inf where it does not mind.
    """

    def __init__(
        self,
        context: Context,
        rescue: Callable[[], Sequence[Task]],
        every: float,
        next_in: Callable[[], float] = lambda: inf,
    ) -> None:
        self._state = context.state
        self._rescue = rescue
        self._every = every
        self._next_in = next_in
        self._timer = context.timer()

    def due_in(self) -> float:
        return inf if self._state.draining or not self._state.published else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        self._timer.set(self._every)
        runner.submit(self._rescue, self._on_answer)

    def _on_answer(self, rescued: Sequence[Task]) -> None:
        usual = self._every * random.uniform(0.75, 1.25)
        self._timer.set(min(usual, self._next_in()) if len(rescued) < BATCH_TASKS else 0)


def rescue_lapsed(context: Context, rescue: Rescue) -> RescueTasks:
    """Rescue tasks whose leases have lapsed, three times a lease, and soon again after one was found free."""
    return RescueTasks(context, rescue, context.identity.lease / 3, lambda: rescue.guard.next_look_in)


def rescue_from_dead(context: Context, rescue: Callable[[], Sequence[Task]]) -> RescueTasks:
    """Rescue tasks from handlers of this machine whose processes have ended."""
    return RescueTasks(context, rescue, DEAD_POLL_SECONDS)
