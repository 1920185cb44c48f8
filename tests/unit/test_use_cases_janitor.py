"""Deleting expired tasks, and rescuing those of dead handlers, over memory."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.memory import MemoryStore
from adapters.memory.queue import MemoryQueue
from adapters.processes.proc import name_of
from application.errors import StorageConflict, StorageUnavailable
from application.ports.cleaning import DeletedTasks
from application.ports.queue import ProgressReport
from application.ports.wake_up import Topic
from application.use_cases.rescue import Rescue
from application.use_cases.rescue_from_dead_processes import RescueFromDeadProcesses
from application.use_cases.settle_lost import BATCH_TASKS
from domain.ids import HandlerId, TaskId, TypeName
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


class TestCleaning:
    def test_expired_tasks_are_deleted_in_batches_and_the_unrun_reported(self, service: Service):
        steps.add(service.storage, *(steps.submission(ttl=ttl) for ttl in (10, 20, 30, 999)))
        clean = service.janitor.clean()
        service.clock.move(60)
        assert clean(limit=2) == DeletedTasks(2, [TaskId(1), TaskId(2)])
        assert clean(limit=2) == DeletedTasks(1, [TaskId(3)])
        assert clean(limit=2) == DeletedTasks(0, [])

    def test_clean_forgets_handlers_that_are_long_dead(self, service: Service):
        service.publish(TaskType(name=TypeName("add")), seconds=1)
        service.clock.move(86_400)
        service.janitor.clean()()
        with service.begin() as work:
            assert not work.types.renew(HANDLER, service.clock.now())


class TestRescuing:
    def test_rescue_takes_nothing_for_one_lease_after_its_start(self, service: Service, rescue: Rescue):
        running(service)
        service.clock.move(1000)
        assert list(rescue()) == []
        assert list(watch(service, rescue, LEASE - 0.001)) == []
        service.clock.move(0.01)
        assert [task.id for task in rescue()] == [1]

    def test_a_live_handler_that_renews_in_that_time_loses_nothing(self, service: Service, rescue: Rescue):
        (task,) = running(service)
        service.clock.move(1000)
        rescue()
        service.clock.move(10)
        assert list(steps.renew(service.storage, [task.hold], service.clock.now())) == []
        assert list(watch(service, rescue, LEASE - 10)) == []

    def test_rescue_takes_nothing_for_one_lease_after_an_outage(self, service: Service, rescue: Rescue):
        rescue()
        running(service)
        service.clock.move(1000)
        service.away = True
        with pytest.raises(StorageUnavailable):
            rescue()
        service.away = False
        assert list(rescue()) == []
        assert list(watch(service, rescue, LEASE - 0.001)) == []
        service.clock.move(0.01)
        assert [task.id for task in rescue()] == [1]

    def test_rescue_counts_an_outage_until_the_storage_answers(self, service: Service, rescue: Rescue):
        running(service)
        rescue()
        service.away = True
        for _ in range(3):
            service.clock.move(LEASE)
            with pytest.raises(StorageUnavailable):
                rescue()
        service.away = False
        rescue()
        assert list(watch(service, rescue, LEASE - 0.001)) == []

    def test_rescue_takes_nothing_for_one_lease_after_an_unnoticed_restart_of_the_storage(
        self, service: Service, rescue: Rescue
    ):
        rescue()
        watch(service, rescue, 1000)
        running(service)
        service.clock.move(1)
        rescue()
        service.store.up_since = service.clock.now()
        assert list(watch(service, rescue, LEASE - 0.001)) == []
        service.clock.move(0.01)
        assert [task.id for task in rescue()] == [1]

    def test_rescue_notifies_of_waiting_and_taken_tasks(self, service: Service, rescue: Rescue):
        rescue()
        running(service)
        (task,) = watch(service, rescue, LEASE + 1)
        assert (task.status, task.attempt, task.losses) == (Status.WAITING, 0, 1)
        assert service.told == [Topic.WAITING, Topic.TAKEN, Topic.CHANGED]

    def test_a_task_lost_too_often_fails_without_a_notification_of_waiting(self, service: Service, rescue: Rescue):
        rescue()
        running(service, max_losses=0)
        (task,) = watch(service, rescue, LEASE + 1)
        assert task.status is Status.FAILED
        assert service.told == [Topic.TAKEN, Topic.CHANGED]

    def test_rescue_leaves_a_live_lease_and_notifies_of_nothing(self, service: Service, rescue: Rescue):
        rescue()
        watch(service, rescue, LEASE)
        running(service)
        assert list(watch(service, rescue, LEASE)) == []
        assert service.told == []

    def test_rescue_takes_the_tasks_of_a_handler_together_and_of_several_in_batches(
        self, service: Service, rescue: Rescue
    ):
        """The suspect is the last of more tasks than a batch has, and explains the death to all of them."""
        rescue()
        steps.add(service.storage, *[steps.submission(now=service.clock.now())] * (2 * BATCH_TASKS + 1))
        steps.save(service.storage, steps.task(service.storage, BATCH_TASKS + 1).suspected())
        for handler, number in ("one", BATCH_TASKS + 1), ("two", BATCH_TASKS):
            self.claimed_and_started(service, handler, number)
        watch(service, rescue, LEASE - 1)
        service.clock.move(2)
        first, second, third = rescue(), rescue(), rescue()
        assert [len(first), len(second), len(third)] == [BATCH_TASKS + 1, BATCH_TASKS, 0]
        assert [task.id for task in first if task.losses] == [BATCH_TASKS + 1]

    def test_rescue_waits_for_the_last_lease_of_a_dead_handler(self, service: Service, rescue: Rescue):
        """The neighbour was claimed after the suspect's lease was renewed last."""
        rescue()
        watch(service, rescue, LEASE)
        for number in (1, 2):
            steps.add(service.storage, steps.submission(now=service.clock.now()))
            if number == 1:
                steps.save(service.storage, steps.task(service.storage, 1).suspected())
            self.claimed_and_started(service, "one", 1)
            service.clock.move(LEASE / 3 - 1)
            rescue()
        assert list(watch(service, rescue, LEASE / 3 + 3)) == []
        taken = watch(service, rescue, LEASE / 3)
        assert [(task.id, task.losses, task.suspect) for task in taken] == [(1, 1, True), (2, 0, True)]

    def test_rescue_takes_a_single_lapsed_task_of_a_live_handler_soon(self, service: Service, rescue: Rescue):
        """Its outcome cannot be stored, so its lease is left to lapse, and the others are renewed."""
        rescue()
        watch(service, rescue, LEASE)
        first, second = running(service, 2)
        taken: list[Task] = []
        for _ in range(5):
            service.clock.move(LEASE / 3)
            steps.renew(service.storage, [second.hold], service.clock.now())
            taken += rescue()
        assert [task.id for task in taken] == [first.id]

    def claimed_and_started(self, service: Service, handler: str, number: int) -> None:
        now = service.clock.now()
        claimed = steps.claim(service.storage, number, now=now, handler=handler, lease=LEASE)
        steps.report(service.storage, *[ProgressReport(each.task.hold, now) for each in claimed])

    def test_a_restarted_handler_claims_a_rescued_task_under_its_new_id(self, service: Service, rescue: Rescue):
        rescue()
        (old,) = running(service)
        watch(service, rescue, LEASE + 1)
        (new,) = steps.claim(service.storage, now=service.clock.now(), handler=HandlerId("handler-2"))
        assert list(steps.succeed(service.storage, old, service.clock.now())) == [1]
        assert list(steps.succeed(service.storage, new.task, service.clock.now())) == []


class TestPostponedRescue:
    """Events that may have prevented renewals postpone the rescue by one lease, without a noticed outage."""

    @pytest.fixture
    def watched(self, service: Service, rescue: Rescue) -> Service:
        """A service that was watched for long enough to rescue a task with a lapsed lease now."""
        rescue()
        watch(service, rescue, LEASE)
        running(service)
        return service

    def test_a_slow_answer_postpones_the_rescue(
        self, watched: Service, rescue: Rescue, monkeypatch: pytest.MonkeyPatch
    ):
        """The server hung, and went on."""
        watched.clock.move(1)
        with monkeypatch.context() as hanging:
            hanging.setattr(MemoryQueue, "lapsed", self.after(watched, LEASE))
            assert list(rescue()) == []
        assert list(watch(watched, rescue, LEASE - 0.001)) == []
        watched.clock.move(0.01)
        assert [task.id for task in rescue()] == [1]

    def test_a_time_without_a_look_postpones_the_rescue(self, watched: Service, rescue: Rescue):
        watched.clock.move(LEASE + 1)
        assert list(rescue()) == []
        assert list(watch(watched, rescue, LEASE - 0.001)) == []

    def test_a_clock_that_was_set_postpones_the_rescue(self, watched: Service, rescue: Rescue):
        watched.clock.set(watched.clock.now() + timedelta(hours=1))
        watched.clock.move(1)
        assert list(rescue()) == []
        assert list(watch(watched, rescue, LEASE - 0.001)) == []

    def test_a_conflict_does_not_postpone_the_rescue(self, watched: Service, rescue: Rescue):
        watch(watched, rescue, LEASE - 1)
        watched.clock.move(2)
        watched.errors = [StorageConflict()]
        assert [task.id for task in rescue()] == [1]

    def after(self, service: Service, seconds: float) -> Callable[..., Sequence[Task]]:
        lapsed = MemoryQueue.lapsed

        def hang(queue: MemoryQueue, now: datetime, limit: int) -> Sequence[Task]:
            service.clock.move(seconds)
            return lapsed(queue, service.clock.now(), limit)

        return hang


class TestRescueFromDeadProcesses:
    @pytest.fixture
    def process(self) -> Iterator[subprocess.Popen[bytes]]:
        with subprocess.Popen(["sleep", "600"]) as process:
            yield process
            process.kill()

    @pytest.fixture
    def rescue(self, service: Service, process: subprocess.Popen[bytes]) -> RescueFromDeadProcesses:
        with service.begin() as work:
            work.types.publish(HANDLER, [], steps.at(10**6), name_of(process.pid))
            work.types.publish(HandlerId("elsewhere"), [], steps.at(10**6), "another-boot pid:[1] 1 1")
            work.commit()
        return service.janitor.rescue_from_dead_processes()

    def test_a_task_of_a_process_that_was_seen_to_end_is_rescued_at_once(
        self, service: Service, rescue: RescueFromDeadProcesses, process: subprocess.Popen[bytes]
    ):
        (held,) = running(service)
        assert list(rescue()) == []
        process.kill()
        process.wait()
        (task,) = rescue()
        assert task == held.suspected().lose(service.clock.now())
        assert service.told == [Topic.WAITING, Topic.TAKEN, Topic.CHANGED]

    def test_the_handler_of_a_dead_process_is_forgotten_and_no_other(
        self, service: Service, rescue: RescueFromDeadProcesses, process: subprocess.Popen[bytes]
    ):
        process.kill()
        process.wait()
        rescue()
        with service.begin() as work:
            assert set(work.types.processes()) == {"elsewhere"}


def test_a_memory_store_is_up_since_1970():
    with MemoryStore().begin() as work:
        assert work.queue.up_since().year == 1970
