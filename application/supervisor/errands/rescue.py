"""Rescue: take back what other handlers held that are gone, as janitors do."""

import random
from collections.abc import Callable
from math import inf

from application.supervisor.courier import Courier
from application.supervisor.errands.errand import Office


class RescueOthers:
    """Due about three times in a lease."""

    def __init__(self, office: Office, rescue: Callable[[], object]) -> None:
        self._office = office
        self._desk = office.desk
        self._rescue = rescue
        self._alarm = office.alarm()

    def due_in(self) -> float:
        return inf if self._desk.draining or not self._desk.published else self._alarm.rings_in()

    def send(self, courier: Courier) -> None:
        def then(_: object) -> None:
            self._alarm.set(self._office.identity.lease / 3 * random.uniform(0.75, 1.25))

        courier.send(self._rescue, then)
