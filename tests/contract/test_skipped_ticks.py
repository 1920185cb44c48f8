"""Skipped ticks: of a paused type that recurs one tick waits, and the ticks after it become no tasks."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from domain.options import Options
from domain.schedule import Recurrence
from domain.task import Task
from domain.task_type import TaskType
from tests.recurring import HOURLY, Recurring, recurring
from tests.steps import add, claim_one, fail, save, submission, task
from tests.storage import Storage

TASK_HOURS = 1000
"""Hours after which the task of a tick expires."""


@pytest.fixture
def service(storage: Storage) -> Recurring:
    """Two types tick every hour: `report`, and `other` beside it."""
    service = Recurring(storage, max_task_time=TASK_HOURS * 3600)
    service.publish("a", hourly("report"), hourly("other"), seconds=10**8)
    return service


def hourly(name: str, **options: Any) -> TaskType:
    return recurring(name, HOURLY, options=Options(**options))


def pass_ticks(service: Recurring, number: int) -> list[int]:
    """Let so many ticks pass, with a look after each, and return the ids of the tasks of `report` that they became."""
    tasks: list[Task] = []
    for _ in range(number):
        service.pass_hours(1)
        tasks += service.tick()
    return [task.id for task in tasks if task.type == "report"]


def report(service: Recurring) -> Recurrence:
    return service.known()["report"]


class TestPaused:
    @pytest.mark.parametrize("limits", [{"paused": True}, {"at_once": 0}])
    def test_one_tick_waits_and_the_others_are_skipped_and_counted(self, service: Recurring, limits: Any):
        service.limit("report", **limits)
        assert len(pass_ticks(service, 1)) == 1
        assert report(service).skipped == 0
        assert pass_ticks(service, 3) == []
        assert report(service).skipped == 3

    def test_the_schedule_moves_on_past_a_skipped_tick(self, service: Recurring):
        service.limit("report", paused=True)
        pass_ticks(service, 2)
        assert report(service).next == service.known()["other"].next > service.clock.now()
        assert service.look().next_in == 3600

    def test_the_type_beside_a_paused_one_skips_no_tick(self, service: Recurring):
        service.limit("report", paused=True)
        pass_ticks(service, 1)
        service.pass_hours(1)
        assert [task.type for task in service.tick()] == ["other"]
        assert service.known()["other"].skipped == 0

    def test_a_look_that_only_skips_ticks_sends_no_notification(self, service: Recurring):
        service.limit("report", paused=True)
        service.limit("other", paused=True)
        pass_ticks(service, 1)
        service.told.clear()
        pass_ticks(service, 1)
        assert service.told == []

    def test_the_count_is_listed_with_the_type(self, service: Recurring):
        service.limit("report", paused=True)
        pass_ticks(service, 4)
        with service.begin() as work:
            listed = {each.type.name: each.skipped for each in work.types.all(service.clock.now())}
        assert listed == {"other": 0, "report": 3}

    def test_a_tick_that_waited_before_the_pause_is_the_one_that_waits(self, service: Recurring):
        assert len(pass_ticks(service, 1)) == 1
        service.limit("report", paused=True)
        assert pass_ticks(service, 2) == []
        assert report(service).skipped == 2

    def test_a_task_that_was_submitted_takes_the_place_of_no_tick(self, storage: Storage, service: Recurring):
        add(storage, submission("report"))
        service.limit("report", paused=True)
        assert len(pass_ticks(service, 2)) == 1

    def test_after_a_pause_every_tick_is_a_task_and_the_count_stays(self, service: Recurring):
        service.limit("report", paused=True)
        pass_ticks(service, 3)
        service.limit("report", paused=False)
        assert len(pass_ticks(service, 2)) == 2
        assert report(service).skipped == 2

    def test_the_ticks_of_a_second_pause_are_added_to_the_count(self, service: Recurring):
        for _ in range(2):
            service.limit("report", paused=True)
            pass_ticks(service, 3)
            service.limit("report", paused=False)
        assert report(service).skipped == 2 + 3

    def test_all_missed_ticks_count_as_one(self, service: Recurring):
        service.limit("report", paused=True)
        pass_ticks(service, 1)
        service.pass_hours(5)
        assert len(service.tick()) == 1
        assert report(service).skipped == 1

    @pytest.mark.parametrize("limits", [{"at_once": 1}, {"per_second": 1e-6}])
    def test_a_type_with_limits_that_is_not_paused_skips_no_tick(self, service: Recurring, limits: Any):
        service.limit("report", **limits)
        assert len(pass_ticks(service, 3)) == 3


class TestNotAccepting:
    def test_every_tick_is_skipped_and_counted(self, service: Recurring):
        service.limit("report", accepting=False)
        assert pass_ticks(service, 3) == []
        assert report(service).skipped == 3

    def test_once_tasks_are_accepted_the_next_tick_is_a_task(self, service: Recurring):
        service.limit("report", accepting=False, paused=True)
        assert pass_ticks(service, 2) == []
        service.limit("report", paused=True)
        assert len(pass_ticks(service, 2)) == 1


def deletes(storage: Storage, waiting: Task, now: datetime) -> None:
    with storage.begin() as work:
        work.tasks.lock(waiting.id)
        work.tasks.remove(waiting.id)
        work.commit()


def cancels(storage: Storage, waiting: Task, now: datetime) -> None:
    save(storage, waiting.cancel(now))


def claims(storage: Storage, waiting: Task, now: datetime) -> None:
    assert claim_one(storage, now=now, wanted={"report": 1}).id == waiting.id


class TestWaiting:
    """The task of the last tick waits until it is claimed, finished or gone."""

    @pytest.mark.parametrize("change", [deletes, cancels, claims])
    def test_once_it_waits_no_more_the_next_tick_waits_in_its_place(
        self, storage: Storage, service: Recurring, change: Callable[[Storage, Task, datetime], None]
    ):
        (first,) = pass_ticks(service, 1)
        change(storage, task(storage, first), service.clock.now())
        service.limit("report", paused=True)
        (second,) = pass_ticks(service, 1)
        assert pass_ticks(service, 2) == []
        assert (second > first, report(service).skipped) == (True, 2)

    def test_an_expired_task_waits_no_more(self, service: Recurring):
        service.limit("report", paused=True)
        pass_ticks(service, 1)
        service.pass_hours(TASK_HOURS - 2)
        assert pass_ticks(service, 1) == []
        assert len(pass_ticks(service, 1)) == 1

    def test_a_task_that_will_be_tried_again_waits(self, storage: Storage, service: Recurring):
        service.publish("a", hourly("report", max_attempts=2), seconds=10**8)
        pass_ticks(service, 1)
        fail(storage, claim_one(storage, now=service.clock.now(), wanted={"report": 1}), service.clock.now())
        service.limit("report", paused=True)
        assert pass_ticks(service, 2) == []

    def test_a_publication_in_a_pause_lets_no_second_tick_wait(self, service: Recurring):
        service.limit("report", paused=True)
        pass_ticks(service, 2)
        service.publish("b", recurring("report", "30 * * * *"), hourly("other"), seconds=10**8)
        assert pass_ticks(service, 2) == []
        assert report(service).skipped == 3
