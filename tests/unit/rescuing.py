"""Running tasks, and looks for lapsed leases, over memory."""

from collections.abc import Sequence
from typing import Any

import pytest

from application.use_cases.rescue import Rescue
from domain.task import Task
from tests import steps
from tests.unit.memory_service import Service

LEASE, CONFIRMATION = 30.0, 2.5


class Rescuing:
    """The fixtures of tests that rescue."""

    @pytest.fixture
    def service(self) -> Service:
        return Service()

    @pytest.fixture
    def rescue(self, service: Service) -> Rescue:
        return Rescue(service.begin, service.autocommit, service.clock, service, LEASE)


def watch(service: Service, rescue: Rescue, seconds: float) -> Sequence[Task]:
    """Rescue often enough during the seconds. The rescued tasks."""
    rounds = int(seconds // (LEASE / 3)) + 1
    taken: list[Task] = []
    for _ in range(rounds):
        service.clock.move(seconds / rounds)
        taken += rescue()
    return taken


def running(service: Service, number: int = 1, **options: Any) -> Sequence[Task]:
    """Tasks that a handler has just claimed."""
    steps.add(service.storage, *[steps.submission(**options)] * number)
    claimed = steps.claim(service.storage, number, wanted={"add": number}, now=service.clock.now(), lease=LEASE)
    return [each.task for each in claimed]
