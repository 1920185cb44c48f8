"""Cleaning, and taking back what handlers held that are gone, over memory."""

from collections.abc import Sequence

import pytest

from adapters.memory import MemoryStore
from application.errors import StorageUnavailable
from application.ports.cleaning import Expired
from application.ports.wake_up import Topic
from application.use_cases.clean import Clean
from application.use_cases.rescue import BATCH, Rescue
from domain.ids import HandlerId, TypeName
from domain.status import Status
from domain.task import Task
from domain.task_type import TaskType
from tests import steps
from tests.unit.memory_service import HANDLER, Service

LEASE = 30.0


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def rescue(service: Service) -> Rescue:
    return Rescue(service.begin, service.clock, service, LEASE)


def running(service: Service, number: int = 1, **options: int) -> Sequence[Task]:
    """Tasks that a handler has just claimed."""
    steps.add(service.begin, *[steps.submission(**options)] * number)
    claimed = steps.claim(service.begin, number, wanted={"add": number}, now=service.clock.now(), lease=LEASE)
    return [each.task for each in claimed]


class TestCleaning:
    def test_what_has_expired_goes_in_batches_and_the_unrun_are_told(self, service: Service):
        steps.add(service.begin, *(steps.submission(ttl=ttl) for ttl in (10, 20, 30, 999)))
        clean = Clean(service.begin, service.clock)
        service.clock.move(60)
        assert clean(limit=2) == Expired(2, [1, 2])
        assert clean(limit=2) == Expired(1, [3])
        assert clean(limit=2) == Expired(0, [])

    def test_handlers_that_are_long_dead_are_forgotten_on_the_way(self, service: Service):
        service.publish(TaskType(name=TypeName("add")), seconds=1)
        service.clock.move(86_400)
        Clean(service.begin, service.clock)()
        with service.begin() as work:
            assert not work.types.keep(HANDLER, service.clock.now())


class TestRescuing:
    def test_for_one_lease_after_its_start_it_takes_nothing(self, service: Service, rescue: Rescue):
        running(service)
        service.clock.move(1000)
        assert list(rescue()) == []
        service.clock.move(LEASE - 0.001)
        assert list(rescue()) == []
        service.clock.move(0.001)
        assert [task.id for task in rescue()] == [1]

    def test_what_lives_renews_in_that_time_and_loses_nothing(self, service: Service, rescue: Rescue):
        (task,) = running(service)
        service.clock.move(1000)
        rescue()
        service.clock.move(10)
        assert list(steps.renew(service.begin, [task.hold], service.clock.now())) == []
        service.clock.move(20)
        assert list(rescue()) == []

    def test_after_an_outage_it_takes_nothing_for_one_lease(self, service: Service, rescue: Rescue):
        rescue()
        running(service)
        service.clock.move(1000)
        service.away = True
        with pytest.raises(StorageUnavailable):
            rescue()
        service.away = False
        assert list(rescue()) == []
        service.clock.move(LEASE - 0.001)
        assert list(rescue()) == []
        service.clock.move(0.001)
        assert [task.id for task in rescue()] == [1]

    def test_an_outage_counts_until_the_storage_answers(self, service: Service, rescue: Rescue):
        running(service)
        rescue()
        service.away = True
        for _ in range(3):
            service.clock.move(LEASE)
            with pytest.raises(StorageUnavailable):
                rescue()
        service.away = False
        rescue()
        service.clock.move(LEASE - 0.001)
        assert list(rescue()) == []

    def test_after_a_restart_of_the_storage_that_it_did_not_notice_it_takes_nothing_for_one_lease(
        self, service: Service, rescue: Rescue
    ):
        rescue()
        running(service)
        service.clock.move(1000)
        service.store.up_since = service.clock.now()
        service.clock.move(LEASE - 0.001)
        assert list(rescue()) == []
        service.clock.move(0.001)
        assert [task.id for task in rescue()] == [1]

    def test_who_may_start_them_and_who_ran_them_are_told(self, service: Service, rescue: Rescue):
        rescue()
        running(service)
        service.clock.move(LEASE + 1)
        (task,) = rescue()
        assert (task.status, task.attempt, task.losses) == (Status.WAITING, 0, 1)
        assert service.told == [Topic.WAITING, Topic.TAKEN]

    def test_what_was_lost_too_often_fails_and_nobody_is_called_to_start_it(self, service: Service, rescue: Rescue):
        rescue()
        running(service, max_losses=0)
        service.clock.move(LEASE + 1)
        (task,) = rescue()
        assert task.status is Status.FAILED
        assert service.told == [Topic.TAKEN]

    def test_a_live_lease_is_left_and_nobody_is_told(self, service: Service, rescue: Rescue):
        rescue()
        service.clock.move(LEASE)
        running(service)
        service.clock.move(LEASE)
        assert list(rescue()) == []
        assert service.told == []

    def test_a_full_batch_says_that_there_may_be_more(self, service: Service, rescue: Rescue):
        rescue()
        running(service, BATCH + 1)
        service.clock.move(LEASE + 1)
        assert [len(rescue()), len(rescue()), len(rescue())] == [BATCH, 1, 0]

    def test_a_handler_that_restarted_under_another_name_gets_it_back_by_claiming(
        self, service: Service, rescue: Rescue
    ):
        rescue()
        (old,) = running(service)
        service.clock.move(LEASE + 1)
        rescue()
        (new,) = steps.claim(service.begin, now=service.clock.now(), handler=HandlerId("handler-2"))
        assert list(steps.succeed(service.begin, old, service.clock.now())) == [1]
        assert list(steps.succeed(service.begin, new.task, service.clock.now())) == []


def test_a_store_in_memory_was_always_up():
    with MemoryStore().begin() as work:
        assert work.queue.up_since().year == 1970
