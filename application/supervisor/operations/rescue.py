"""Take back what other handlers held that are gone, as janitors do."""

import random
from collections.abc import Callable, Sequence
from math import inf

from application.supervisor.background import Courier
from application.supervisor.operations.operation import Office
from application.use_cases.settle_lost import BATCH
from domain.task import Task

BURY = 2.0
"""Seconds between two looks for handlers of this machine that have ended."""


class TakeBack:
    """Due every so many seconds, and at once after a full batch."""

    def __init__(self, office: Office, take_back: Callable[[], Sequence[Task]], every: float) -> None:
        self._office = office
        self._desk = office.desk
        self._take_back = take_back
        self._every = every
        self._alarm = office.alarm()

    def due_in(self) -> float:
        return inf if self._desk.draining or not self._desk.published else self._alarm.rings_in()

    def send(self, courier: Courier) -> None:
        self._alarm.set(self._every)

        def then(tasks: Sequence[Task]) -> None:
            self._alarm.set(self._every * random.uniform(0.75, 1.25) if len(tasks) < BATCH else 0)

        courier.send(self._take_back, then)


def rescuing(office: Office, rescue: Callable[[], Sequence[Task]]) -> TakeBack:
    """What is held under lapsed leases, three times in a lease."""
    return TakeBack(office, rescue, office.identity.lease / 3)


def burying(office: Office, bury: Callable[[], Sequence[Task]]) -> TakeBack:
    """What is held by processes that were seen to end."""
    return TakeBack(office, bury, BURY)
