"""Awaiting and following tasks, over memory. Who waits here is woken, or has no time."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import enumerate as living_threads

import pytest

from application import change_feed
from application.change_feed import ChangeFeed, PollGaps, Subscriber
from application.errors import StorageUnavailable, UnknownTask
from application.ports.task_repository import Version
from application.ports.wake_up import Topic
from application.use_cases import follow_task
from application.use_cases.await_task import Awaited
from application.use_cases.follow_task import TaskFollower
from application.view import View
from domain.ids import TaskId, TypeName
from domain.settlement import Settlement
from domain.status import Status
from domain.task_type import TaskType
from domain.waiting import WaitingFor
from tests import steps
from tests.concurrency import until
from tests.unit.memory_service import Service

ONE = TaskId(1)
ADD = TaskType(name=TypeName("add"))
LONG = 60
"""Seconds that no test lasts."""


class Waiting:
    """A service in which tasks are waited for, two at most."""

    def __init__(self) -> None:
        self.service = Service(waiters=2)
        self.wake_up = self.service.wake_up
        api = self.service.api
        self.change_feed, self.await_task, self.follow_task = api.change_feed(), api.await_task(), api.follow_task()
        self.pool = ThreadPoolExecutor(4)

    def submit(self) -> View:
        return self.service.submit()

    def soon(self, known: View) -> Future[Awaited]:
        """The answer to somebody who waits by now."""
        before = self.waiting
        answer = self.pool.submit(self.await_task, known, LONG)
        until(lambda: self.waiting > before or answer.done())
        return answer

    @property
    def waiting(self) -> int:
        return len(self.change_feed._subscribers)

    def run(self) -> steps.Task:
        return steps.claim_one(self.service.storage, now=self.service.clock.now(), wanted={"default": 1})

    def finish(self, result: str = "1") -> None:
        steps.settle(self.service.storage, Settlement.succeeded(self.run(), self.service.clock.now(), result))
        self.wake_up.notify(Topic.CHANGED)


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    waiting = Waiting()
    yield waiting
    waiting.change_feed.close()
    waiting.pool.shutdown()


class TestAwaiting:
    def test_it_is_answered_as_soon_as_the_task_has_finished(self, waiting: Waiting):
        answer = waiting.soon(waiting.submit())
        waiting.finish("[7]")
        view = answer.result(LONG).view
        assert (view.task.status, view.stored.result) == (Status.DONE, "[7]")
        assert waiting.waiting == 0

    def test_what_has_finished_is_answered_at_once(self, waiting: Waiting):
        waiting.submit()
        waiting.finish()
        known = waiting.service.api.view_task()(ONE)
        assert waiting.await_task(known, LONG) == Awaited(known)

    def test_what_finished_since_it_was_seen_is_answered_at_once(self, waiting: Waiting):
        known = waiting.submit()
        waiting.finish()
        assert waiting.await_task(known, LONG).view.task.status is Status.DONE

    def test_when_the_time_is_over_it_is_answered_as_it_was_seen_last(self, waiting: Waiting):
        known = waiting.submit()
        assert waiting.await_task(known, 0) == Awaited(known)

    def test_a_change_on_the_way_is_no_answer(self, waiting: Waiting):
        answer = waiting.soon(waiting.submit())
        running = waiting.run()
        waiting.wake_up.notify(Topic.CHANGED)
        steps.settle(waiting.service.storage, Settlement.succeeded(running, waiting.service.clock.now(), "1"))
        waiting.wake_up.notify(Topic.CHANGED)
        assert answer.result(LONG).view.task.status is Status.DONE

    def test_without_a_notification_it_is_found_by_looking(self, waiting: Waiting):
        answer = waiting.soon(waiting.submit())
        steps.succeed(waiting.service.storage, waiting.run(), waiting.service.clock.now())
        assert answer.result(LONG).view.task.status is Status.DONE

    def test_a_task_that_is_deleted_is_answered_as_it_was_known(self, waiting: Waiting):
        known = waiting.submit()
        answer = waiting.soon(known)
        with waiting.service.begin() as work:
            work.tasks.remove(ONE)
            work.commit()
        waiting.wake_up.notify(Topic.CHANGED)
        assert answer.result(LONG).view.task == known.task

    def test_where_the_storage_is_away_it_is_answered_as_it_was_known(self, waiting: Waiting):
        known = waiting.submit()
        waiting.service.away = True
        assert waiting.await_task(known, 0) == Awaited(known)

    def test_an_outage_in_between_is_waited_through(self, waiting: Waiting):
        answer = waiting.soon(waiting.submit())
        waiting.service.errors += [StorageUnavailable()]
        waiting.wake_up.notify(Topic.CHANGED)
        until(lambda: not waiting.service.errors)
        waiting.finish()
        assert answer.result(LONG).view.task.status is Status.DONE


class TestPauses:
    def test_who_waits_alone_waits_for_no_pause(self):
        pauses = PollGaps()
        assert [pauses.after(second, took=0) for second in range(3)] == [0, 0, 0]
        assert pauses.after(3, took=0.001) == pytest.approx(0.002)

    def test_after_some_looks_in_a_row_each_has_its_pause(self):
        pauses, now, waits = PollGaps(), 0.0, list[float]()
        for _ in range(10):
            waits.append(pauses.after(now, took=0))
            now += waits[-1]
        assert waits == pytest.approx([0.0] * 5 + [0.01] * 5)

    def test_looks_that_take_long_leave_time_for_others(self):
        assert [PollGaps().after(0, took) for took in (0.1, 100)] == pytest.approx([0.2, 1.0])


class TestBounds:
    def test_one_too_many_is_answered_at_once_and_told_so(self, waiting: Waiting):
        known = waiting.submit()
        answers = [waiting.soon(known) for _ in range(2)]
        assert waiting.await_task(known, LONG) == Awaited(known, was_turned_away=True)
        waiting.finish()
        assert {each.result(LONG).view.task.status for each in answers} == {Status.DONE}
        assert not waiting.soon(waiting.submit()).done()

    def test_one_look_serves_all(self, waiting: Waiting):
        known = waiting.submit()
        answers = [waiting.soon(known) for _ in range(2)]
        assert [thread.name for thread in living_threads()].count("change-feed") == 1
        waiting.finish()
        assert all(each.result(LONG) for each in answers)

    def test_closing_sends_everybody_away_with_what_is_known(self, waiting: Waiting):
        known = waiting.submit()
        answer = waiting.soon(known)
        waiting.change_feed.close()
        assert answer.result(LONG) == Awaited(known)
        assert waiting.await_task(known, LONG).was_turned_away

    def test_an_error_that_nobody_expects_ends_nothing(self, waiting: Waiting, caplog: pytest.LogCaptureFixture):
        answer = waiting.soon(waiting.submit())
        waiting.service.errors += [ZeroDivisionError()]
        waiting.wake_up.notify(Topic.CHANGED)
        until(lambda: "change feed: a poll failed, and is repeated" in caplog.text)
        waiting.finish()
        assert answer.result(LONG).view.task.status is Status.DONE

    def test_a_task_that_few_wait_for_is_told_of_before_one_that_has_a_crowd(
        self, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(change_feed, "NOTIFY_BATCH", 1)
        monkeypatch.setattr(change_feed, "NOTIFY_GAP_SECONDS", LONG)
        crowded, other = waiting.submit(), waiting.submit()
        views = [waiting.follow_task(ONE).later() for _ in range(2)]
        waiting.change_feed._max_subscribers = 3
        answer = waiting.soon(other)
        for _ in (crowded, other):
            steps.succeed(waiting.service.storage, waiting.run(), waiting.service.clock.now())
        waiting.wake_up.notify(Topic.CHANGED)
        assert answer.result(LONG / 2).view.task.status is Status.DONE
        assert views

    def test_news_that_come_when_the_time_is_over_are_there_next_time(self, waiting: Waiting):
        seen = waiting.submit()
        subscriber = Subscriber(ONE, seen.stored.version)
        assert subscriber.next(0) is None
        subscriber.publish(seen)
        subscriber.publish(later := waiting.service.viewer(seen.stored))
        assert subscriber.next(LONG) is later
        assert subscriber.next(0) is None

    def test_what_changed_is_read_once_for_all_who_follow_it(self, waiting: Waiting):
        waiting.submit()
        followed = [waiting.follow_task(ONE), waiting.follow_task(ONE)]
        views = [each.later() for each in followed]
        waiting.run()
        waiting.wake_up.notify(Topic.CHANGED)
        one, other = (next(each) for each in views)
        assert one is other
        assert one.once(repr) is other.once(repr)

    def test_nobody_listens_and_nothing_runs_before_somebody_waits(self):
        waiting = Waiting()
        assert not waiting.wake_up._wakes
        assert waiting.change_feed._thread is None


class TestFollowing:
    def test_it_begins_with_the_task_as_it_stands_and_ends_with_it(self, waiting: Waiting):
        waiting.submit()
        following = waiting.follow_task(ONE)
        assert following.first.task.status is Status.WAITING
        views = following.later()
        running = waiting.run()
        waiting.wake_up.notify(Topic.CHANGED)
        assert next(views).task.status is Status.RUNNING
        steps.settle(waiting.service.storage, Settlement.succeeded(running, waiting.service.clock.now(), "1"))
        waiting.wake_up.notify(Topic.CHANGED)
        assert [view.task.status for view in views] == [Status.DONE]

    def test_states_in_between_may_merge_and_the_last_one_comes(self, waiting: Waiting):
        waiting.submit()
        views = waiting.follow_task(ONE).later()
        waiting.finish()
        assert [view.task.status for view in views][-1] is Status.DONE

    def test_what_changes_before_its_place_is_taken_is_found_at_once(
        self, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(change_feed, "POLL_SECONDS", LONG)
        waiting.change_feed = ChangeFeed(
            waiting.service.autocommit,
            waiting.service.clock,
            waiting.wake_up,
            waiting.service.viewer,
            max_subscribers=2,
        )
        first = waiting.submit()
        steps.succeed(waiting.service.storage, waiting.run(), waiting.service.clock.now())
        seen = replace(first, stored=replace(first.stored, version=Version(7)))
        following = TaskFollower(seen, waiting.change_feed, waiting.service.viewer)
        assert [view.task.status for view in following.later()] == [Status.DONE]

    def test_a_task_that_has_finished_has_no_later_views_and_takes_no_place(self, waiting: Waiting):
        waiting.submit()
        waiting.finish()
        following = waiting.follow_task(ONE)
        assert following.first.task.status is Status.DONE
        assert (list(following.later()), following.was_turned_away, waiting.waiting) == ([], False, 0)

    def test_one_too_many_has_the_first_view_alone(self, waiting: Waiting):
        waiting.submit()
        others = [waiting.follow_task(ONE) for _ in range(2)]
        following = waiting.follow_task(ONE)
        assert following.was_turned_away
        assert list(following.later()) == []
        others[0].close()
        others[0].close()
        assert not waiting.follow_task(ONE).was_turned_away

    def test_a_task_that_is_deleted_ends_it(self, waiting: Waiting):
        waiting.submit()
        views = waiting.follow_task(ONE).later()
        with waiting.service.begin() as work:
            work.tasks.remove(ONE)
            work.commit()
        waiting.wake_up.notify(Topic.CHANGED)
        assert list(views) == []

    def test_an_outage_is_no_end(self, waiting: Waiting):
        waiting.submit()
        views = waiting.follow_task(ONE).later()
        waiting.service.errors += [StorageUnavailable()]
        waiting.wake_up.notify(Topic.CHANGED)
        until(lambda: not waiting.service.errors)
        waiting.finish()
        assert [view.task.status for view in views][-1] is Status.DONE

    def test_where_nothing_changes_there_is_a_view_from_time_to_time(
        self, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(follow_task, "HEARTBEAT_SECONDS", 0.001)
        waiting.service.publish(ADD, seconds=30)
        added = waiting.service.submit("add")
        views = waiting.follow_task(added.task.id).later()
        assert next(views).waiting_for is WaitingFor.HANDLER
        waiting.service.clock.move(60)
        assert next(view for view in views if view.waiting_for is not WaitingFor.HANDLER)

    def test_closing_all_ends_it(self, waiting: Waiting):
        waiting.submit()
        views = waiting.follow_task(ONE).later()
        waiting.change_feed.close()
        assert list(views) == []

    def test_a_task_that_is_not_there_is_unknown(self, waiting: Waiting):
        with pytest.raises(UnknownTask):
            waiting.follow_task(TaskId(99))
        assert waiting.waiting == 0
