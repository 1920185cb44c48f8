"""Schedules: one task a tick, none lost by a deploy, one after a downtime, none once no handler has the type."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf

import pytest

from application.ports.unit_of_work import Begin
from application.ports.wake_up import Topic
from domain.ids import TaskId, TypeName
from domain.options import Options
from domain.schedule import Recurrence, Schedule
from domain.status import Status
from domain.task import Task
from tests.recurring import DAILY, HOURLY, Recurring, recurring
from tests.steps import at, stored
from tests.storage import Storage

TICK = at(3600)
"""The first of DAILY."""


@pytest.fixture
def service(storage: Storage) -> Recurring:
    return Recurring(storage)


def run_ats(tasks: Sequence[Task]) -> list[datetime]:
    return [task.run_at for task in tasks]


class TestTicking:
    def test_a_tick_becomes_one_task_that_may_run_at_once(self, storage: Storage, service: Recurring):
        service.publish("a", recurring("report", options=Options(priority=5, max_attempts=3, timeout=9)))
        service.clock.set(at(3600.25))
        (task,) = service.tick()
        assert (task.type, task.status, task.run_at, task.attempt) == ("report", Status.WAITING, TICK, 0)
        assert (task.priority, task.max_attempts, task.timeout) == (5, 3, 9)
        assert (task.created, task.ttl, task.expire) == (TICK, 600, at(3600 + 600))
        assert stored(storage, task.id).args == "{}"
        assert service.told == [Topic.WAITING]

    def test_before_a_tick_no_task_is_added_and_no_notification_is_sent(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.clock.set(at(3599.999))
        assert service.tick() == []
        assert service.told == []

    def test_a_tick_is_not_repeated_by_a_second_janitor(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.pass_hours(1)
        assert len(service.tick()) == 1
        assert service.tick() == service.janitor()().tasks == []
        service.pass_hours(24)
        assert run_ats(service.janitor()().tasks) == [at(25 * 3600)]

    def test_all_missed_ticks_of_a_type_become_one_task(self, service: Recurring):
        service.publish("a", recurring("often", "*/5 * * * *"), recurring("report"))
        service.pass_hours(24)
        often, report = service.tick()
        assert (often.type, often.run_at, often.expire) == ("often", at(300), at(86_400 + 600))
        assert (report.type, report.run_at) == ("report", TICK)
        assert service.tick() == []
        assert service.known()["often"].next == at(86_400 + 300)

    def test_a_look_returns_the_seconds_until_the_next_tick(self, service: Recurring):
        assert service.look().next_in == inf
        service.publish("a", recurring("report"), recurring("often", "*/5 * * * *"))
        service.clock.set(at(60.5))
        assert service.look().next_in == 239.5
        service.clock.set(at(300))
        assert service.look().next_in == 300

    def test_a_tick_that_was_not_committed_with_its_task_is_still_due(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.pass_hours(1)
        with service.begin() as work:
            (due,) = work.schedules.due(service.clock.now())
            work.schedules.save([due.ticked(at(99_999), TaskId(1))])
        assert run_ats(service.tick()) == [TICK]

    def test_a_tick_in_the_hour_that_comes_twice_is_one_task(self, service: Recurring):
        """Also where the first look after a downtime is in the second of the two hours."""
        service.clock.set(datetime(2026, 10, 24, 12, tzinfo=UTC))
        service.publish("a", recurring("nightly", Schedule(every="30 1 * * *", timezone="Europe/Lisbon")))
        service.clock.set(datetime(2026, 10, 25, 1, 10, tzinfo=UTC))
        assert run_ats(service.tick()) == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]
        service.clock.move(60)
        assert service.tick() == []
        service.clock.set(datetime(2026, 10, 25, 1, 31, tzinfo=UTC))
        assert service.tick() == []
        assert service.known()["nightly"].next == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


class TestPublishing:
    def test_a_recurring_type_is_listed_with_its_next_tick(self, service: Recurring):
        service.publish("a", recurring("report"), recurring("add", None))
        assert service.shown() == {"add": (None, None), "report": (DAILY, TICK)}
        service.pass_hours(1)
        service.tick()
        assert service.shown()["report"] == (DAILY, at(25 * 3600))

    def test_a_deploy_at_the_tick_loses_nothing_and_doubles_nothing(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.clock.set(TICK)
        service.withdraw("a")
        service.publish("b", recurring("report"))
        service.publish("c", recurring("report"))
        assert run_ats(service.tick()) == [TICK]
        service.publish("d", recurring("report"))
        assert service.tick() == []

    def test_another_schedule_counts_from_now(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.clock.set(at(600))
        service.publish("b", recurring("report", "30 12 * * *"))
        assert service.shown()["report"] == (Schedule(every="30 12 * * *"), at(1800))

    def test_the_same_times_in_another_zone_are_another_schedule(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.publish("b", recurring("report", Schedule(every=DAILY.every, timezone="Asia/Kolkata")))
        assert service.known()["report"].next == at(19.5 * 3600)

    def test_a_tick_that_is_due_stays_due_under_another_schedule(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.clock.set(at(3601))
        service.publish("b", recurring("report", "30 12 * * *"))
        assert run_ats(service.tick()) == [TICK]
        assert service.shown()["report"] == (Schedule(every="30 12 * * *"), at(24.5 * 3600))

    def test_a_publication_without_a_schedule_removes_that_of_the_type(self, service: Recurring):
        service.publish("a", recurring("report"), recurring("other"))
        service.publish("b", recurring("report", None))
        assert service.shown() == {"other": (DAILY, TICK), "report": (None, None)}
        service.pass_hours(1)
        assert [task.type for task in service.tick()] == ["other"]

    def test_a_publication_that_has_the_schedule_again_starts_anew(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.pass_hours(1)
        service.publish("b", recurring("report", None))
        service.publish("c", recurring("report"))
        assert service.tick() == []
        assert service.known()["report"].next == at(25 * 3600)

    def test_without_a_living_handler_ticks_become_tasks_that_wait(self, service: Recurring):
        service.publish("a", recurring("often", HOURLY))
        service.withdraw("a")
        for _ in range(3):
            service.pass_hours(1)
            assert len(service.tick()) == 1
        service.publish("a", recurring("often", HOURLY))
        assert service.tick() == []


class TestAbandoning:
    """A publication that lacks a type may be of another image, whose neighbour is away for a moment, or of a newer."""

    def test_a_type_that_the_last_handler_lacks_does_not_tick(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.withdraw("a")
        service.publish("a2", recurring("other", None))
        assert service.shown()["report"] == (DAILY, None)
        service.pass_hours(1)
        assert (service.tick(), service.look().next_in) == ([], inf)

    def test_a_type_that_another_handler_has_ticks_on(self, service: Recurring):
        service.publish("a", recurring("report"), seconds=9999)
        service.publish("b", recurring("other", None))
        assert service.shown()["report"] == (DAILY, TICK)
        service.pass_hours(1)
        assert run_ats(service.tick()) == [TICK]

    @pytest.mark.parametrize("gracefully", [True, False])
    def test_a_left_out_type_ticks_no_more_once_the_old_handler_is_gone(self, service: Recurring, gracefully: bool):
        service.publish("old", recurring("report"), seconds=30)
        service.publish("new", recurring("other", None), seconds=9999)
        service.clock.move(10 if gracefully else 31)
        if gracefully:
            service.withdraw("old")
        service.look()
        assert service.shown()["report"] == (DAILY, None)
        service.pass_hours(1)
        assert service.tick() == []

    def test_a_type_ticks_on_while_its_handler_is_away_and_no_later_publication_lacks_it(self, service: Recurring):
        service.publish("b", recurring("other", None), seconds=99_999)
        service.publish("a", recurring("often", HOURLY))
        service.withdraw("a")
        for _ in range(3):
            service.pass_hours(1)
            assert len(service.tick()) == 1

    def test_a_later_publication_that_has_the_type_keeps_it_ticking(self, service: Recurring):
        service.publish("a", recurring("often", HOURLY))
        service.publish("b", recurring("other", None), seconds=99_999)
        service.publish("a2", recurring("often", HOURLY))
        for name in ("a", "a2"):
            service.withdraw(name)
        service.pass_hours(1)
        assert run_ats(service.tick()) == [TICK]

    def test_a_tick_while_its_image_is_away_and_another_starts_is_made_when_the_image_is_back(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.clock.set(at(3590))
        service.withdraw("a")
        service.publish("b", recurring("other", None), seconds=9999)
        service.clock.set(at(3610))
        assert service.tick() == []
        service.clock.set(at(3590 + 3599))
        service.publish("a", recurring("report"))
        assert run_ats(service.tick()) == [TICK]
        assert service.tick() == []
        assert service.shown()["report"] == (DAILY, at(25 * 3600))

    @pytest.mark.parametrize("with_janitor", [True, False])
    def test_an_abandoned_schedule_is_forgotten_after_an_hour_and_starts_anew(
        self, service: Recurring, with_janitor: bool
    ):
        service.publish("a", recurring("report"))
        service.withdraw("a")
        service.publish("b", recurring("other", None), seconds=9999)
        service.clock.set(at(3600))
        if with_janitor:
            assert service.tick() == []
            assert service.known() == {}
            assert service.shown()["report"] == (None, None)
        service.publish("a", recurring("report"))
        assert service.tick() == []
        assert service.shown()["report"] == (DAILY, at(25 * 3600))

    def test_a_schedule_is_abandoned_since_the_first_publication_that_lacks_it(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.withdraw("a")
        service.publish("b", recurring("other", None), seconds=9999)
        service.clock.set(at(1800))
        service.publish("b2", recurring("other", None), seconds=9999)
        service.look()
        assert service.known()["report"].abandoned == at(0)

    def test_a_handler_that_was_silent_and_is_back_without_publishing_has_its_ticks_again(self, service: Recurring):
        service.publish("a", recurring("report"), seconds=30)
        service.publish("b", recurring("other", None), seconds=99_999)
        service.clock.set(at(31))
        service.look()
        assert service.shown()["report"] == (DAILY, None)
        service.pass_hours(5)
        assert service.tick() == []
        service.keep("a")
        assert run_ats(service.tick()) == [TICK]
        assert service.shown()["report"] == (DAILY, at(25 * 3600))

    def test_without_a_living_handler_no_schedule_is_abandoned(self, service: Recurring):
        service.publish("a", recurring("report"), seconds=30)
        service.publish("b", recurring("other", None), seconds=20)
        service.clock.set(at(31))
        service.look()
        service.pass_hours(1)
        assert run_ats(service.tick()) == [TICK]

    def test_a_publication_of_no_types_lacks_every_type(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.withdraw("a")
        service.publish("b")
        assert service.shown()["report"] == (DAILY, None)

    def test_a_publication_of_the_type_without_a_schedule_removes_the_schedule(self, service: Recurring):
        service.publish("a", recurring("report"))
        service.publish("b", recurring("report", None))
        assert service.known() == {}


class TestStoring:
    """The port itself."""

    ONE = Recurrence(type=TypeName("one"), schedule=HOURLY, next=at(60))
    TWO = Recurrence(
        type=TypeName("two"), schedule=DAILY, next=at(30), omitted=True, abandoned=at(1), last_task=TaskId(7), skipped=3
    )

    @pytest.fixture
    def begin(self, storage: Storage) -> Begin:
        service = Recurring(storage)
        service.publish("a", recurring("one", None), recurring("two", None), recurring("three", None))
        return storage.begin

    def put(self, begin: Begin, *recurrences: Recurrence) -> None:
        with begin() as work:
            work.schedules.save(recurrences)
            work.commit()

    def test_schedules_are_stored_as_they_are(self, begin: Begin):
        self.put(begin, self.TWO, self.ONE)
        with begin() as work:
            assert list(work.schedules.lock()) == [self.ONE, self.TWO]

    def test_saved_schedules_replace_older_ones(self, begin: Begin):
        self.put(begin, self.ONE)
        self.put(begin, self.ONE.left_out().ticked(at(7), TaskId(5)), self.TWO)
        with begin() as work:
            assert list(work.schedules.lock()) == [self.ONE.left_out().ticked(at(7), TaskId(5)), self.TWO]

    def test_saving_and_removing_no_schedules_is_no_error(self, begin: Begin):
        with begin() as work:
            work.schedules.save([])
            work.schedules.remove([])
            work.schedules.remove([TypeName("nobody")])
            assert list(work.schedules.lock()) == []
            assert work.schedules.next_after(at(0)) is None

    def test_a_schedule_is_due_when_its_tick_has_come_and_it_is_not_abandoned(self, begin: Begin):
        three = Recurrence(type=TypeName("three"), schedule=DAILY, next=at(61))
        self.put(begin, self.ONE, self.TWO, three)
        with begin() as work:
            assert list(work.schedules.due(at(59.999))) == []
            assert list(work.schedules.due(at(60))) == [self.ONE]
            assert list(work.schedules.due(at(61))) == [self.ONE, three]
            assert work.schedules.next_after(at(0)) == at(60)
            assert work.schedules.next_after(at(60)) == at(61)
            assert work.schedules.next_after(at(61)) is None

    def test_a_removed_schedule_is_gone(self, begin: Begin):
        self.put(begin, self.ONE, self.TWO)
        with begin() as work:
            work.schedules.remove([self.ONE.type])
            work.commit()
        with begin() as work:
            assert list(work.schedules.lock()) == [self.TWO]
