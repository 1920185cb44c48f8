"""Pending work: a process that has nothing to do asks one question, and begins no unit of work."""

from contextlib import AbstractContextManager
from dataclasses import replace
from math import inf

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from application.ports.cleaning import DeletedTasks
from application.ports.unit_of_work import UnitOfWork
from application.use_cases.clean import Clean
from application.use_cases.rescue_from_dead_processes import RescueFromDeadProcesses
from domain.ids import HandlerId
from tests.recurring import Recurring, recurring
from tests.steps import add, at, claim_one, submission, succeed
from tests.storage import Storage


@pytest.fixture
def service(storage: Storage) -> Recurring:
    return Recurring(storage)


@pytest.fixture
def idle(storage: Storage) -> Storage:
    """The storage, where a unit of work must not begin."""

    def begin() -> AbstractContextManager[UnitOfWork]:
        raise AssertionError("a unit of work has begun")

    return replace(storage, begin=begin)


class AllAlive:
    """Processes of which none has ended."""

    def own(self) -> str | None:
        return None

    def has_ended(self, process: str) -> bool:
        return False


def test_tasks_have_expired_once_the_first_has_that_does_not_run(storage: Storage):
    assert not storage.pending.has_expired(at(10**6))
    add(storage, submission(ttl=10), submission(ttl=20), submission(ttl=30))
    claimed = claim_one(storage)
    assert not storage.pending.has_expired(at(19.9))
    assert storage.pending.has_expired(at(20))
    succeed(storage, claimed)
    assert storage.pending.has_expired(at(10**6))


def test_the_work_of_schedules_begins_with_the_first_tick_and_stays_until_that_is_a_task(
    storage: Storage, service: Recurring
):
    assert storage.pending.next_schedule_work(at(0)) is None
    service.publish("a", recurring("report"), recurring("often", "*/5 * * * *"))
    assert storage.pending.next_schedule_work(at(0)) == at(300)
    service.clock.set(at(400))
    assert storage.pending.next_schedule_work(at(400)) == at(300)
    service.tick()
    assert storage.pending.next_schedule_work(at(400)) == at(600)


def test_a_schedule_whose_last_handler_is_gone_is_to_be_reviewed_and_has_no_work_after_that(
    storage: Storage, service: Recurring
):
    service.publish("old", recurring("report"), seconds=30)
    service.publish("new", recurring("other", None), seconds=9999)
    assert storage.pending.next_schedule_work(at(29)) == at(3600)
    assert storage.pending.next_schedule_work(at(31)) == at(31)
    service.clock.set(at(31))
    service.look()
    assert storage.pending.next_schedule_work(at(31)) is None


def test_a_schedule_whose_handler_is_back_is_to_be_reviewed(storage: Storage, service: Recurring):
    service.publish("old", recurring("report"), seconds=30)
    service.publish("new", recurring("other", None), seconds=9999)
    service.clock.set(at(31))
    service.look()
    service.keep("old")
    assert storage.pending.next_schedule_work(at(32)) == at(32)
    service.look()
    assert storage.pending.next_schedule_work(at(32)) == at(3600)


@pytest.mark.parametrize("knows_handler", [True, False])
def test_a_schedule_that_was_abandoned_for_long_is_to_be_removed_unless_a_dead_handler_may_come_back_to_it(
    storage: Storage, service: Recurring, knows_handler: bool
):
    service.publish("old", recurring("report"), seconds=30)
    service.publish("new", recurring("other", None), seconds=99_999)
    service.clock.set(at(31))
    service.look()
    if not knows_handler:
        service.withdraw("old")
    assert storage.pending.next_schedule_work(at(31 + 3599)) is None
    assert storage.pending.next_schedule_work(at(31 + 3600)) == (None if knows_handler else at(31 + 3600))


def test_a_look_at_nothing_that_has_expired_begins_no_unit_of_work(idle: Storage):
    add(idle, submission(ttl=10))
    assert Clean(idle.begin, idle.pending, ManualClock())() == DeletedTasks(0)


def test_a_look_at_schedules_of_which_none_is_due_begins_no_unit_of_work(service: Recurring, idle: Storage):
    look = Recurring(idle).look
    assert look().next_in == inf
    service.publish("a", recurring("report"), seconds=9999)
    assert look().next_in == 3600


def test_a_look_at_processes_that_live_begins_no_unit_of_work(storage: Storage, idle: Storage):
    with storage.begin() as work:
        work.types.publish(HandlerId("one"), [], at(10), "boot 7")
        work.commit()
    assert RescueFromDeadProcesses(idle.begin, idle.pending, ManualClock(), MemoryWakeUp(), AllAlive())() == []
