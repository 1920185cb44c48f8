"""Awaiting and following tasks, over memory. A waiter here is notified, or its time is over at once."""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import enumerate as living_threads

import pytest

from adapters.memory import MemoryAutocommitStore
from application import change_feed, poller
from application.change_feed import ChangeFeed, known_to_all
from application.errors import StorageUnavailable, UnknownTask
from application.open_streams import OpenStreams
from application.poller import PollGaps
from application.ports.task_repository import ANY_SIZE, LARGE_BYTES, UNKNOWN_VERSION, TaskRecord, Version
from application.ports.wake_up import Topic
from application.subscriber import Subscriber
from application.use_cases import follow_task
from application.use_cases.await_task import Awaited
from application.use_cases.follow_task import TaskFollower
from application.use_cases.view_task import ViewTask
from application.view import View
from domain.ids import TaskId, TypeName
from domain.settlement import Settlement
from domain.status import Status
from domain.task import Task
from domain.task_type import TaskType
from domain.waiting import WaitingFor
from tests import steps
from tests.concurrency import until
from tests.unit.memory_service import Service

ONE = TaskId(1)
ADD = TaskType(name=TypeName("add"))
LONG = 60
"""Seconds, longer than any test."""


class Waiting:
    """A service with a change feed of at most two subscribers."""

    def __init__(self) -> None:
        self.service = Service(waiters=2)
        self.wake_up = self.service.wake_up
        api = self.service.api
        self.change_feed, self.await_task, self.follow_task = api.change_feed(), api.await_task(), api.follow_task()
        self.pool = ThreadPoolExecutor(4)

    def submit(self) -> View:
        return self.service.submit()

    def start_waiting(self, known: View) -> Future[Awaited]:
        """The future of a wait that has begun by now."""
        before = self.waiting
        answer = self.pool.submit(self.await_task, known, LONG)
        until(lambda: self.waiting > before or answer.done())
        return answer

    @property
    def waiting(self) -> int:
        return len(self.change_feed.subscribers)

    def run(self) -> Task:
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
    def test_await_task_returns_when_the_task_has_finished(self, waiting: Waiting):
        answer = waiting.start_waiting(waiting.submit())
        waiting.finish("[7]")
        view = answer.result(LONG).view
        assert (view.task.status, view.stored.result) == (Status.DONE, "[7]")
        assert waiting.waiting == 0

    def test_await_task_returns_a_finished_task_at_once(self, waiting: Waiting):
        waiting.submit()
        waiting.finish()
        known = waiting.service.api.view_task()(ONE)
        assert waiting.await_task(known, LONG) == Awaited(known)

    def test_await_task_returns_at_once_a_task_that_finished_since_its_view(self, waiting: Waiting):
        known = waiting.submit()
        waiting.finish()
        assert waiting.await_task(known, LONG).view.task.status is Status.DONE

    def test_await_task_returns_the_last_view_after_its_time(self, waiting: Waiting):
        known = waiting.submit()
        assert waiting.await_task(known, 0) == Awaited(known)

    def test_await_task_does_not_return_for_a_change_to_running(self, waiting: Waiting):
        answer = waiting.start_waiting(waiting.submit())
        running = waiting.run()
        waiting.wake_up.notify(Topic.CHANGED)
        steps.settle(waiting.service.storage, Settlement.succeeded(running, waiting.service.clock.now(), "1"))
        waiting.wake_up.notify(Topic.CHANGED)
        assert answer.result(LONG).view.task.status is Status.DONE

    def test_await_task_finds_a_finished_task_by_polling(self, waiting: Waiting):
        answer = waiting.start_waiting(waiting.submit())
        steps.succeed(waiting.service.storage, waiting.run(), waiting.service.clock.now())
        assert answer.result(LONG).view.task.status is Status.DONE

    def test_await_task_does_not_know_a_task_that_was_deleted_meanwhile(self, waiting: Waiting):
        answer = waiting.start_waiting(waiting.submit())
        with waiting.service.begin() as work:
            work.tasks.remove(ONE)
            work.commit()
        waiting.wake_up.notify(Topic.CHANGED)
        with pytest.raises(UnknownTask):
            answer.result(LONG)

    def test_await_task_returns_the_known_view_where_the_feed_is_closed_in_an_outage(self, waiting: Waiting):
        known = waiting.submit()
        answer = waiting.start_waiting(known)
        waiting.service.away = True
        waiting.change_feed.close()
        assert answer.result(LONG) == Awaited(known)

    def test_await_task_returns_the_known_view_in_an_outage(self, waiting: Waiting):
        known = waiting.submit()
        waiting.service.away = True
        assert waiting.await_task(known, 0) == Awaited(known)

    def test_await_task_outlasts_an_outage(self, waiting: Waiting):
        answer = waiting.start_waiting(waiting.submit())
        waiting.service.errors += [StorageUnavailable()]
        waiting.wake_up.notify(Topic.CHANGED)
        until(lambda: not waiting.service.errors)
        waiting.finish()
        assert answer.result(LONG).view.task.status is Status.DONE


class TestPollGaps:
    def test_the_first_polls_have_no_gap(self):
        pauses = PollGaps()
        assert [pauses.after(second, took=0) for second in range(3)] == [0, 0, 0]
        assert pauses.after(3, took=0.001) == pytest.approx(0.002)

    def test_polls_in_a_row_have_gaps_after_some(self):
        pauses, now, waits = PollGaps(), 0.0, list[float]()
        for _ in range(10):
            waits.append(pauses.after(now, took=0))
            now += waits[-1]
        assert waits == pytest.approx([0.0] * 5 + [0.01] * 5)

    def test_slow_polls_have_longer_gaps(self):
        assert [PollGaps().after(0, took) for took in (0.1, 100)] == pytest.approx([0.2, 1.0])


class TestBounds:
    def test_a_subscriber_beyond_the_limit_is_turned_away_at_once(self, waiting: Waiting):
        known = waiting.submit()
        answers = [waiting.start_waiting(known) for _ in range(2)]
        assert waiting.await_task(known, LONG) == Awaited(known, was_turned_away=True)
        waiting.finish()
        assert {each.result(LONG).view.task.status for each in answers} == {Status.DONE}
        assert not waiting.start_waiting(waiting.submit()).done()

    def test_one_poll_serves_all_subscribers(self, waiting: Waiting):
        known = waiting.submit()
        answers = [waiting.start_waiting(known) for _ in range(2)]
        assert [thread.name for thread in living_threads()].count("change-feed") == 1
        waiting.finish()
        assert all(each.result(LONG) for each in answers)

    def test_close_answers_all_subscribers_with_their_known_views(self, waiting: Waiting):
        known = waiting.submit()
        answer = waiting.start_waiting(known)
        waiting.change_feed.close()
        assert answer.result(LONG) == Awaited(known)
        assert waiting.await_task(known, LONG).was_turned_away

    def test_an_unexpected_error_does_not_end_the_feed(self, waiting: Waiting, caplog: pytest.LogCaptureFixture):
        answer = waiting.start_waiting(waiting.submit())
        waiting.service.errors += [ZeroDivisionError()]
        waiting.wake_up.notify(Topic.CHANGED)
        until(lambda: "change-feed: a poll failed, and is repeated" in caplog.text)
        waiting.finish()
        assert answer.result(LONG).view.task.status is Status.DONE

    def test_a_task_with_few_subscribers_is_notified_before_one_with_many(
        self, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(change_feed, "NOTIFY_BATCH", 1)
        monkeypatch.setattr(change_feed, "NOTIFY_GAP_SECONDS", LONG)
        crowded, other = waiting.submit(), waiting.submit()
        views = [waiting.follow_task(ONE).later() for _ in range(2)]
        waiting.service.api.open_waits()._max_streams = 3
        answer = waiting.start_waiting(other)
        for _ in (crowded, other):
            steps.succeed(waiting.service.storage, waiting.run(), waiting.service.clock.now())
        waiting.wake_up.notify(Topic.CHANGED)
        assert answer.result(LONG / 2).view.task.status is Status.DONE
        assert views

    def test_a_view_that_arrives_after_the_timeout_is_returned_next(self, waiting: Waiting):
        seen = waiting.submit()
        subscriber = Subscriber[View]({ONE: seen.version})
        assert subscriber.next(0) == {}
        subscriber.publish({ONE: seen})
        subscriber.publish({ONE: (later := waiting.service.viewer(seen.stored))})
        assert subscriber.next(LONG)[ONE] is later
        assert subscriber.next(0) == {}

    def test_changes_that_were_not_taken_are_merged_by_task(self, waiting: Waiting):
        one, two = waiting.submit(), waiting.submit()
        subscriber = Subscriber[View]({ONE: one.version, TaskId(2): two.version})
        subscriber.publish({ONE: one})
        subscriber.publish({ONE: None})
        subscriber.publish({TaskId(2): two})
        assert subscriber.next(LONG) == {ONE: None, 2: two}
        assert (subscriber.awaited, subscriber.is_done) == (1, False)

    def test_subscribers_of_a_set_that_have_seen_other_versions_are_told_what_is_new_to_them(self, waiting: Waiting):
        old = {ONE: waiting.submit().version}
        waiting.run()
        present = dict(waiting.service.storage.autocommit.versions([ONE]))
        feed = waiting.change_feed
        with feed.subscribe_to_set(old) as behind, feed.subscribe_to_set(present) as informed:
            assert behind
            assert informed
            assert behind.next(LONG).keys() == {ONE}
            assert informed.next(0) == {}
            until(lambda: behind.seen == informed.seen == present)

    def test_a_version_that_not_all_have_seen_is_read_for_all(self):
        one, two = Version(11), Version(12)
        assert known_to_all([{ONE: one}, {ONE: one, TaskId(2): two}]) == {1: one, 2: two}
        for seen in ([one, two], [two, one, one]):
            assert known_to_all([{ONE: each} for each in seen]) == {1: UNKNOWN_VERSION}

    def test_a_changed_task_is_read_once_for_all_subscribers(self, waiting: Waiting):
        waiting.submit()
        followed = [waiting.follow_task(ONE), waiting.follow_task(ONE)]
        views = [each.later() for each in followed]
        waiting.run()
        waiting.wake_up.notify(Topic.CHANGED)
        one, other = (next(each) for each in views)
        assert one is other
        assert one.once(repr) is other.once(repr)

    def test_the_feed_reads_no_text_of_a_large_task(self, waiting: Waiting, monkeypatch: pytest.MonkeyPatch):
        """It would keep the subscribers of all other tasks waiting on a slow line."""
        read: list[int] = []
        get_many = MemoryAutocommitStore.get_many

        def recording(
            store: MemoryAutocommitStore, ids: Collection[TaskId], max_bytes: int = ANY_SIZE
        ) -> Mapping[TaskId, TaskRecord]:
            read.append(max_bytes)
            return get_many(store, ids, max_bytes)

        known = waiting.submit()
        monkeypatch.setattr(MemoryAutocommitStore, "get_many", recording)
        answer = waiting.start_waiting(known)
        large = f'"{"x" * LARGE_BYTES}"'
        waiting.finish(large)
        assert answer.result(LONG).view.stored.result == large
        assert read[0] == LARGE_BYTES
        assert read[-1] == ANY_SIZE

    def test_a_large_task_that_is_deleted_before_it_was_read_is_unknown(
        self, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
    ):
        known = waiting.submit()
        monkeypatch.setattr(ViewTask, "__call__", lambda view, id: (_ for _ in ()).throw(UnknownTask(id)))
        answer = waiting.start_waiting(known)
        waiting.finish(f'"{"x" * LARGE_BYTES}"')
        with pytest.raises(UnknownTask):
            answer.result(LONG)

    def test_a_feed_without_subscribers_has_no_thread(self):
        waiting = Waiting()
        assert not waiting.wake_up._wakes
        assert waiting.change_feed._view_poller._thread is None


class TestFollowing:
    def test_following_begins_with_the_present_view_and_ends_with_the_final_one(self, waiting: Waiting):
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

    def test_following_may_merge_views_but_yields_the_last_one(self, waiting: Waiting):
        waiting.submit()
        views = waiting.follow_task(ONE).later()
        waiting.finish()
        assert [view.task.status for view in views][-1] is Status.DONE

    def test_a_change_before_the_subscription_is_found_at_once(self, waiting: Waiting, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(poller, "POLL_SECONDS", LONG)
        waiting.change_feed = ChangeFeed(
            waiting.service.autocommit,
            waiting.service.clock,
            waiting.wake_up,
            waiting.service.viewer,
            OpenStreams(2),
        )
        first = waiting.submit()
        steps.succeed(waiting.service.storage, waiting.run(), waiting.service.clock.now())
        seen = replace(first, stored=replace(first.stored, version=Version(7)))
        following = TaskFollower(seen, waiting.service.api.view_task(), waiting.change_feed, waiting.service.viewer)
        assert [view.task.status for view in following.later()] == [Status.DONE]

    def test_following_a_finished_task_has_no_later_views(self, waiting: Waiting):
        waiting.submit()
        waiting.finish()
        following = waiting.follow_task(ONE)
        assert following.first.task.status is Status.DONE
        assert (list(following.later()), following.was_turned_away, waiting.waiting) == ([], False, 0)

    def test_a_follower_beyond_the_limit_has_the_first_view_alone(self, waiting: Waiting):
        waiting.submit()
        others = [waiting.follow_task(ONE) for _ in range(2)]
        following = waiting.follow_task(ONE)
        assert following.was_turned_away
        assert list(following.later()) == []
        others[0].close()
        others[0].close()
        assert not waiting.follow_task(ONE).was_turned_away

    def test_following_ends_when_the_task_is_deleted(self, waiting: Waiting):
        waiting.submit()
        views = waiting.follow_task(ONE).later()
        with waiting.service.begin() as work:
            work.tasks.remove(ONE)
            work.commit()
        waiting.wake_up.notify(Topic.CHANGED)
        assert list(views) == []

    def test_following_outlasts_an_outage(self, waiting: Waiting):
        waiting.submit()
        views = waiting.follow_task(ONE).later()
        waiting.service.errors += [StorageUnavailable()]
        waiting.wake_up.notify(Topic.CHANGED)
        until(lambda: not waiting.service.errors)
        waiting.finish()
        assert [view.task.status for view in views][-1] is Status.DONE

    def test_following_an_unchanged_task_yields_heartbeat_views(
        self, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(follow_task, "HEARTBEAT_SECONDS", 0.001)
        waiting.service.publish(ADD, seconds=30)
        added = waiting.service.submit("add")
        views = waiting.follow_task(added.task.id).later()
        assert next(views).waiting_for is WaitingFor.HANDLER
        waiting.service.clock.move(60)
        assert next(view for view in views if view.waiting_for is not WaitingFor.HANDLER)

    def test_following_ends_when_the_feed_is_closed(self, waiting: Waiting):
        waiting.submit()
        views = waiting.follow_task(ONE).later()
        waiting.change_feed.close()
        assert list(views) == []

    def test_following_an_unknown_task_is_refused(self, waiting: Waiting):
        with pytest.raises(UnknownTask):
            waiting.follow_task(TaskId(99))
        assert waiting.waiting == 0
