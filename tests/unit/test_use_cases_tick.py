"""Failures and costs of a tick, over memory."""

import logging
from collections.abc import Set
from dataclasses import replace

import pytest

from adapters.memory.schedules import MemorySchedules
from application.errors import StorageConflict
from domain.ids import TypeName
from domain.schedule import Recurrence, Schedule
from tests.recurring import HOURLY, Recurring, recurring
from tests.steps import at
from tests.unit.memory_service import Service

UNREADABLE = Schedule(every="@every 5m", timezone="Mars/Olympus")


@pytest.fixture
def memory() -> Service:
    return Service()


@pytest.fixture
def service(memory: Service) -> Recurring:
    return Recurring(replace(memory.storage, begin=memory.begin), memory.clock)


def test_a_schedule_of_a_newer_version_is_skipped(service: Recurring, process_log: pytest.LogCaptureFixture):
    strange = recurring("strange")
    service.publish("a", strange, recurring("report"))
    with service.begin() as work:
        work.schedules.save([Recurrence(type=strange.name, schedule=UNREADABLE, next=at(10))])
        work.commit()
    with process_log.at_level(logging.WARNING):
        for hour in range(1, 26):
            service.clock.set(at(3600 * hour))
            assert [task.type for task in service.tick()] == (["report"] if hour in (1, 25) else [])
    assert [record.getMessage() for record in process_log.records] == [
        "strange does not tick here: every='@every 5m' with timezone='Mars/Olympus' is not a schedule: "
        "there is no such time zone"
    ]
    assert service.known()["strange"].next == at(10)
    assert service.look().next_in > 0


def test_tick_retries_a_conflict(memory: Service, service: Recurring):
    service.publish("a", recurring("report"))
    service.pass_hours(1)
    memory.errors = [StorageConflict(), StorageConflict()]
    assert len(service.tick()) == 1


def test_only_where_a_paused_type_is_due_is_a_waiting_tick_looked_for(
    service: Recurring, monkeypatch: pytest.MonkeyPatch
):
    service.publish("a", recurring("report", HOURLY), recurring("limited", HOURLY), seconds=10**6)
    service.limit("limited", at_once=1)
    looks: list[object] = []

    def waiting(*asked: object) -> Set[TypeName]:
        looks.append(asked)
        return set()

    monkeypatch.setattr(MemorySchedules, "waiting", waiting)
    service.pass_hours(1)
    assert (len(service.tick()), looks) == (2, [])
    service.limit("limited", paused=True)
    service.pass_hours(1)
    assert (len(service.tick()), len(looks)) == (2, 1)
