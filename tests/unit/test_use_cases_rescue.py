"""Rescuing the tasks of dead handlers, over memory."""

import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from adapters.memory import MemoryAutocommitStore
from adapters.memory.queue import MemoryQueue
from adapters.processes.proc import name_of
from application.errors import StorageConflict
from application.log_lines import KEYS_OF_RECORD
from application.ports.queue import ProgressReport
from application.ports.wake_up import Topic
from application.use_cases.rescue import LEFT_OUT_SECONDS, UNEXAMINED_SECONDS, Rescue
from application.use_cases.rescue_from_dead_processes import RescueFromDeadProcesses
from domain.ids import HandlerId, TaskId, TypeName
from domain.settlement import Settlement
from domain.status import Status
from domain.task import Task
from tests import steps
from tests.unit.memory_service import HANDLER, Service
from tests.unit.rescuing import CONFIRMATION, LEASE, Rescuing, running, watch

ADD = TypeName("add")


class TestRescuing(Rescuing):
    def test_a_loss_has_a_line_with_id_type_and_error(
        self, service: Service, rescue: Rescue, caplog: pytest.LogCaptureFixture
    ):
        (task,) = running(service, max_losses=0)
        steps.report(service.storage, ProgressReport(task.hold, service.clock.now()))
        rescue()
        watch(service, rescue, LEASE)
        service.clock.move(CONFIRMATION)
        rescue()
        assert caplog.messages == [
            "took back task 1 (add), whose handler is gone: it is failed now: "
            "Lost: the handler that ran it was lost, start 1 of 1 that were"
        ]
        keys = {"task": 1, "type": "add", "attempt": 1, "claim": 1, "handler": HANDLER}
        assert getattr(caplog.records[0], KEYS_OF_RECORD) == keys

    def test_a_lease_has_lapsed_when_it_was_seen_unchanged_for_a_whole_lease(self, service: Service, rescue: Rescue):
        running(service)
        service.clock.move(1000)
        assert list(rescue()) == []
        assert list(watch(service, rescue, LEASE)) == []
        service.clock.move(CONFIRMATION)
        assert [task.id for task in rescue()] == [1]

    def test_a_handler_that_renews_loses_nothing_however_old_its_lease_was(self, service: Service, rescue: Rescue):
        (task,) = running(service)
        service.clock.move(1000)
        rescue()
        watch(service, rescue, LEASE - 1)
        assert list(steps.renew(service.storage, [task.hold], service.clock.now())) == []
        assert list(watch(service, rescue, LEASE - 1)) == []

    def test_a_task_that_was_renewed_between_two_looks_which_found_it_free_is_kept(
        self, service: Service, rescue: Rescue
    ):
        """Its row was locked for longer than a lease, and let go just before the first of these looks."""
        (task,) = running(service)
        rescue()
        watch(service, rescue, LEASE)
        service.clock.move(0.5)
        steps.renew(service.storage, [task.hold], service.clock.now())
        service.clock.move(0.5)
        assert list(rescue()) == []

    def test_a_task_that_was_locked_between_two_looks_has_to_be_found_free_twice_again(
        self, service: Service, rescue: Rescue, monkeypatch: pytest.MonkeyPatch
    ):
        running(service)
        rescue()
        watch(service, rescue, LEASE)
        with monkeypatch.context() as locked:
            locked.setattr(MemoryQueue, "lapsed", lambda *_: [])
            service.clock.move(CONFIRMATION)
            assert list(rescue()) == []
        service.clock.move(CONFIRMATION)
        assert list(rescue()) == []
        service.clock.move(CONFIRMATION)
        assert [task.id for task in rescue()] == [1]

    def test_a_task_counts_as_free_from_the_answer_on_that_says_so(
        self, service: Service, rescue: Rescue, monkeypatch: pytest.MonkeyPatch
    ):
        """On a slow line its handler learns as late that the row is free, and needs the time after that."""
        running(service)
        rescue()
        lapsed = MemoryAutocommitStore.lapsed

        def answer_late(store: MemoryAutocommitStore, *args: Any) -> Sequence[Task]:
            found = lapsed(store, *args)
            service.clock.move(CONFIRMATION)
            return found

        with monkeypatch.context() as slow:
            slow.setattr(MemoryAutocommitStore, "lapsed", answer_late)
            watch(service, rescue, LEASE)
        assert list(rescue()) == []
        service.clock.move(CONFIRMATION)
        assert [task.id for task in rescue()] == [1]

    def test_a_look_that_finds_no_lapsed_lease_begins_no_transaction(
        self, service: Service, rescue: Rescue, monkeypatch: pytest.MonkeyPatch
    ):
        running(service)
        begun: list[str] = []
        monkeypatch.setattr(rescue, "_begin", lambda: begun.append("transaction"))
        assert list(watch(service, rescue, LEASE)) == []
        assert begun == []

    def test_a_handler_takes_back_nothing_that_it_holds_itself(self, service: Service):
        running(service)
        own = Rescue(service.begin, service.autocommit, service.clock, service, LEASE, HANDLER)
        own()
        assert list(watch(service, own, 10 * LEASE)) == []

    def test_a_handler_with_longer_leases_is_given_that_long(self, service: Service, rescue: Rescue):
        with service.begin() as work:
            work.types.publish(HANDLER, [], steps.at(10**6), lease=3 * LEASE)
            work.commit()
        running(service)
        rescue()
        assert list(watch(service, rescue, 3 * LEASE)) == []
        service.clock.move(CONFIRMATION)
        assert [task.id for task in rescue()] == [1]

    def test_rescue_notifies_of_waiting_and_taken_tasks(self, service: Service, rescue: Rescue):
        rescue()
        running(service)
        (task,) = watch(service, rescue, 2 * LEASE)
        assert (task.status, task.attempt, task.losses) == (Status.WAITING, 0, 1)
        assert service.told == [Topic.WAITING, Topic.TAKEN, Topic.CHANGED]

    def test_a_task_lost_too_often_fails_without_a_notification_of_waiting(self, service: Service, rescue: Rescue):
        rescue()
        running(service, max_losses=0)
        (task,) = watch(service, rescue, 2 * LEASE)
        assert task.status is Status.FAILED
        assert service.told == [Topic.TAKEN, Topic.CHANGED]

    def test_rescue_takes_the_tasks_of_a_handler_together(self, service: Service, rescue: Rescue):
        """The suspect is the last of its handler's tasks, and explains the death to all of them."""
        rescue()
        steps.add(service.storage, *[steps.submission(now=service.clock.now())] * 12)
        steps.save(service.storage, steps.task(service.storage, 8).suspected())
        for handler, number in ("one", 8), ("two", 4):
            self.claimed_and_started(service, handler, number)
        taken = [*watch(service, rescue, 2 * LEASE)]
        assert [task.id for task in taken if task.losses] == [8, 9, 10, 11, 12]

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
        assert list(watch(service, rescue, LEASE - 3)) == []
        taken = [*watch(service, rescue, LEASE / 3)]
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

    def test_a_conflict_over_the_tasks_of_one_handler_delays_no_other(
        self, service: Service, rescue: Rescue, monkeypatch: pytest.MonkeyPatch
    ):
        rescue()
        steps.add(service.storage, *[steps.submission(now=service.clock.now())] * 2)
        for handler in ("one", "two"):
            self.claimed_and_started(service, handler, 1)
        settle = MemoryQueue.settle

        def settle_others(queue: MemoryQueue, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
            if settlements[0].hold.handler == "one":
                raise StorageConflict
            return settle(queue, settlements)

        with monkeypatch.context() as locked:
            locked.setattr(MemoryQueue, "settle", settle_others)
            assert [task.id for task in watch(service, rescue, 2 * LEASE)] == [2]
        assert [task.id for task in watch(service, rescue, 1)] == [1]

    @pytest.fixture
    def bad(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> set[TaskId]:
        """Tasks that the storage refuses to change, after some time."""
        bad: set[TaskId] = set()
        settle = MemoryQueue.settle

        def settle_good(queue: MemoryQueue, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
            if bad & {each.task.id for each in settlements}:
                service.clock.move(0.4)
                raise ValueError
            return settle(queue, settlements)

        monkeypatch.setattr(MemoryQueue, "settle", settle_good)
        return bad

    def test_a_batch_of_tasks_that_are_refused_is_gone_through_over_several_looks(
        self, service: Service, rescue: Rescue, bad: set[TaskId]
    ):
        """A transaction in which thousands of tasks were tried one by one would be cut off, again and again."""
        rescue()
        held = running(service, 30)
        bad |= {task.id for task in held[:20]}
        assert list(watch(service, rescue, 2 * LEASE)) == []
        taken = watch(service, rescue, 10 * UNEXAMINED_SECONDS)
        assert sorted(task.id for task in taken) == [task.id for task in held[20:]]

    def test_a_batch_of_tasks_that_are_refused_delays_those_behind_it_by_a_few_looks(
        self, service: Service, rescue: Rescue, bad: set[TaskId], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("application.use_cases.rescue.BATCH_TASKS", 40)
        rescue()
        bad |= {task.id for task in running(service, 40)}
        steps.add(service.storage, steps.submission(now=service.clock.now()))
        self.claimed_and_started(service, "two", 1)
        assert [task.id for task in watch(service, rescue, 3 * LEASE)] == [41]

    def test_a_task_that_was_refused_is_left_out_for_a_while_and_tried_again(
        self, service: Service, rescue: Rescue, bad: set[TaskId]
    ):
        rescue()
        first, second = running(service, 2)
        bad.add(first.id)
        assert [task.id for task in watch(service, rescue, 2 * LEASE)] == [second.id]
        bad.clear()
        assert list(watch(service, rescue, LEFT_OUT_SECONDS / 2)) == []
        assert [task.id for task in watch(service, rescue, LEFT_OUT_SECONDS)] == [first.id]

    def claimed_and_started(self, service: Service, handler: str, number: int) -> None:
        now = service.clock.now()
        claimed = steps.claim(service.storage, number, now=now, handler=handler, lease=LEASE)
        steps.report(service.storage, *[ProgressReport(each.task.hold, now) for each in claimed])

    def test_a_restarted_handler_claims_a_rescued_task_under_its_new_id(self, service: Service, rescue: Rescue):
        rescue()
        (old,) = running(service)
        watch(service, rescue, 2 * LEASE)
        (new,) = steps.claim(service.storage, now=service.clock.now(), handler=HandlerId("handler-2"))
        assert list(steps.succeed(service.storage, old, service.clock.now())) == [1]
        assert list(steps.succeed(service.storage, new.task, service.clock.now())) == []


class TestRescueFromDeadProcesses(Rescuing):
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
        assert set(service.storage.pending.processes()) == {"elsewhere"}
