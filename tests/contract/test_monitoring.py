"""Monitoring: handlers and janitors as their records show them, the tasks that run, and the oldest due ones."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from application.ports.monitoring import (
    DEAD_JANITOR_RETENTION,
    JANITOR_SILENCE,
    HandlerInfo,
    HandlerRecord,
    HeldTasks,
    JanitorRecord,
    Liveness,
    RunningTask,
)
from application.ports.queue import ProgressReport
from application.ports.unit_of_work import Begin
from domain.ids import HandlerId, JanitorId, TypeName
from domain.progress import Progress
from domain.task import Task
from domain.task_type import TaskType
from tests.steps import (
    HANDLER,
    NOW,
    add,
    add_one,
    at,
    claim,
    claim_one,
    report,
    rescue,
    save,
    submission,
    succeed,
    task,
)
from tests.storage import Storage

ADD, MUL = TaskType(name=TypeName("add")), TaskType(name=TypeName("mul"))
ONE, TWO = HandlerId("one"), HandlerId("two")
INFO = HandlerInfo(host="host", pid=7, started=at(-60), concurrency=4)
FIRST, SECOND = (
    JanitorRecord(id=JanitorId(id), host="host", pid=8, started=at(-5), last_seen=NOW) for id in ("first", "second")
)


def publish(
    begin: Begin, handler: HandlerId, *types: TaskType, until: float = 30, info: HandlerInfo | None = INFO
) -> None:
    with begin() as work:
        work.types.publish(handler, types, at(until), lease=30, info=info)
        work.commit()


def renew(begin: Begin, handler: HandlerId, until: float, is_draining: bool = False) -> None:
    with begin() as work:
        assert work.types.renew(handler, at(until), is_draining)
        work.commit()


def handlers(begin: Begin, seconds: float = 0, max_silent: int = 10) -> Sequence[HandlerRecord]:
    with begin() as work:
        return work.monitoring.handlers(at(seconds), max_silent)


def states(begin: Begin, seconds: float = 0, max_silent: int = 10) -> list[tuple[str, str]]:
    return [(each.id, each.liveness(at(seconds))) for each in handlers(begin, seconds, max_silent)]


class TestHandlers:
    def test_a_handler_is_shown_as_it_was_published(self, begin: Begin):
        publish(begin, ONE, MUL, ADD)
        assert handlers(begin) == [
            HandlerRecord(
                id=ONE,
                until=at(30),
                types=[ADD.name, MUL.name],
                last_seen=NOW,
                host="host",
                pid=7,
                started=at(-60),
                concurrency=4,
            )
        ]

    def test_a_handler_of_an_older_version_is_shown_as_far_as_it_is_known(self, begin: Begin):
        with begin() as work:
            work.types.publish(ONE, [ADD], at(30))
            work.commit()
        assert handlers(begin) == [HandlerRecord(id=ONE, until=at(30), types=[ADD.name])]

    def test_a_renewal_is_the_last_sign_of_life(self, begin: Begin):
        publish(begin, ONE, ADD)
        renew(begin, ONE, 45)
        assert [(each.last_seen, each.until) for each in handlers(begin)] == [(at(15), at(45))]

    def test_a_handler_drains_from_the_renewal_on_that_says_so(self, begin: Begin):
        publish(begin, ONE, ADD)
        assert states(begin) == [(ONE, Liveness.LIVE)]
        renew(begin, ONE, 40, is_draining=True)
        assert states(begin) == [(ONE, Liveness.DRAINING)]
        assert states(begin, 40) == [(ONE, Liveness.SILENT)]

    def test_a_handler_that_publishes_again_does_not_drain(self, begin: Begin):
        publish(begin, ONE, ADD)
        renew(begin, ONE, 40, is_draining=True)
        publish(begin, ONE, ADD)
        assert states(begin) == [(ONE, Liveness.LIVE)]

    def test_a_handler_is_silent_from_the_moment_on_until_which_it_lives(self, begin: Begin):
        publish(begin, ONE, ADD, until=10)
        assert states(begin, 9.999) == [(ONE, Liveness.LIVE)]
        assert states(begin, 10) == [(ONE, Liveness.SILENT)]

    def test_live_handlers_come_in_the_order_of_ids_and_then_the_last_silent_ones(self, begin: Begin):
        for name, until in [("d", 30), ("a", 30), ("b", 5), ("e", 8), ("c", 8), ("f", 2)]:
            publish(begin, HandlerId(name), until=until)
        assert [name for name, _ in states(begin, 10)] == ["a", "d", "c", "e", "b", "f"]
        assert [name for name, _ in states(begin, 10, max_silent=2)] == ["a", "d", "c", "e"]
        assert [name for name, _ in states(begin, 10, max_silent=0)] == ["a", "d"]

    def test_a_withdrawn_handler_is_not_shown(self, begin: Begin):
        publish(begin, ONE, ADD)
        with begin() as work:
            work.types.withdraw(ONE)
            work.commit()
        assert handlers(begin) == []


def held(begin: Begin, limit: int = 10) -> Mapping[HandlerId, HeldTasks]:
    with begin() as work:
        return work.monitoring.held_tasks(limit)


def running(task: Task, started: float, progress: Progress | None = None) -> RunningTask:
    return RunningTask(id=task.id, type=task.type, started=at(started), progress=progress)


class TestHeldTasks:
    def test_no_handler_holds_a_task_that_waits_or_has_finished(self, storage: Storage):
        add(storage, submission(), submission())
        succeed(storage, claim_one(storage))
        assert held(storage.begin) == {}

    def test_the_tasks_of_each_handler_are_named_from_the_oldest_start_on(self, storage: Storage):
        a, b, c, d = add(storage, submission(), submission(), submission(), submission())
        claim(storage, 1, now=at(2), handler=ONE)
        claim(storage, 1, now=at(1), handler=ONE)
        claim(storage, 1, now=at(1), handler=ONE)
        claim(storage, 1, now=at(3), handler=TWO)
        assert held(storage.begin) == {
            ONE: HeldTasks([running(b, 1), running(c, 1), running(a, 2)], 3),
            TWO: HeldTasks([running(d, 3)], 1),
        }

    def test_a_task_that_is_claimed_ahead_is_counted_apart_until_its_start_is_reported(self, storage: Storage):
        a, b, _ = add(storage, submission(), submission(), submission())
        claimed = claim(storage, starting=1)
        assert held(storage.begin) == {HANDLER: HeldTasks([running(a, 0)], 1, 2)}
        half = Progress(0.5, "nul \0")
        report(storage, ProgressReport(claimed[1].task.hold, at(4), half))
        assert held(storage.begin) == {HANDLER: HeldTasks([running(a, 0), running(b, 4, half)], 2, 1)}

    @pytest.mark.parametrize("limit", [0, 1, 3])
    def test_the_named_tasks_are_bounded_and_the_numbers_are_not(self, storage: Storage, limit: int):
        tasks = add(storage, *[submission()] * 5)
        claim(storage, starting=3)
        named = [running(task, 0) for task in tasks[:limit]]
        assert held(storage.begin, limit) == {HANDLER: HeldTasks(named, 3, 2)}

    def test_a_handler_that_has_started_nothing_is_named_with_its_number(self, storage: Storage):
        add(storage, submission(), submission())
        claim(storage, starting=0)
        assert held(storage.begin) == {HANDLER: HeldTasks([], 0, 2)}

    def test_a_task_that_was_taken_back_is_held_no_more(self, storage: Storage):
        add_one(storage)
        claim(storage)
        rescue(storage, at(60))
        assert held(storage.begin) == {}


def oldest_due(storage: Storage, seconds: float = 0) -> dict[str, float]:
    with storage.begin() as work:
        return {type: (due - NOW).total_seconds() for type, due in work.monitoring.oldest_due(at(seconds)).items()}


class TestOldestDue:
    def test_nothing_is_due_without_tasks(self, storage: Storage):
        assert oldest_due(storage) == {}

    def test_the_oldest_due_task_of_each_type_has_the_earliest_run_at(self, storage: Storage):
        for type, seconds in [("add", -3), ("add", -7), ("mul", -2), ("add", -5)]:
            add_one(storage, type, run_at=at(seconds))
        assert oldest_due(storage) == {"add": -7, "mul": -2}

    def test_a_task_of_a_low_priority_may_be_the_oldest(self, storage: Storage):
        for priority, seconds in [(100, -1), (0, -2), (-1, -9), (-100, -4)]:
            add_one(storage, priority=priority, run_at=at(seconds))
        assert oldest_due(storage) == {"add": -9}

    def test_a_task_is_due_from_its_run_at_on(self, storage: Storage):
        add_one(storage, priority=5, run_at=at(10))
        add_one(storage, run_at=at(20))
        assert oldest_due(storage, 9.999) == {}
        assert oldest_due(storage, 10) == {"add": 10}
        assert oldest_due(storage, 30) == {"add": 10}

    def test_a_delayed_task_of_a_high_priority_hides_no_due_one(self, storage: Storage):
        add_one(storage, priority=5, run_at=at(10))
        add_one(storage, run_at=at(-4))
        assert oldest_due(storage) == {"add": -4}

    def test_a_task_that_was_claimed_or_cancelled_is_not_due(self, storage: Storage):
        a, b = (add_one(storage, run_at=at(seconds)) for seconds in (-9, -8))
        claim(storage, 1)
        assert oldest_due(storage) == {"add": -8}
        save(storage, task(storage, b.id).cancel(NOW))
        assert oldest_due(storage) == {}
        rescue(storage, at(60))
        assert oldest_due(storage, 99) == {"add": (task(storage, a.id).run_at - NOW).total_seconds()}


def janitors(begin: Begin, seconds: float = 0, max_silent: int = 10) -> list[tuple[str, str]]:
    with begin() as work:
        return [(each.id, each.liveness(at(seconds))) for each in work.monitoring.janitors(at(seconds), max_silent)]


def renew_janitor(begin: Begin, janitor: JanitorRecord, seconds: float = 0) -> None:
    with begin() as work:
        work.monitoring.renew_janitor(replace(janitor, last_seen=at(seconds)))
        work.commit()


SILENCE = JANITOR_SILENCE.total_seconds()
RETENTION = DEAD_JANITOR_RETENTION / timedelta(seconds=1)


class TestJanitors:
    def test_a_janitor_is_shown_as_it_was_renewed_last(self, begin: Begin):
        renew_janitor(begin, FIRST)
        renew_janitor(begin, FIRST, 3)
        with begin() as work:
            assert work.monitoring.janitors(NOW, 10) == [replace(FIRST, last_seen=at(3))]

    def test_a_janitor_is_silent_when_it_was_not_renewed_for_a_while(self, begin: Begin):
        renew_janitor(begin, FIRST)
        assert janitors(begin, SILENCE - 0.001) == [("first", Liveness.LIVE)]
        assert janitors(begin, SILENCE) == [("first", Liveness.SILENT)]

    def test_live_janitors_come_in_the_order_of_ids_and_then_the_last_silent_ones(self, begin: Begin):
        for name, seen in [("d", 50), ("a", 50), ("b", 5), ("e", 8), ("c", 8)]:
            renew_janitor(begin, replace(FIRST, id=JanitorId(name)), seen)
        assert [name for name, _ in janitors(begin, 50)] == ["a", "d", "c", "e", "b"]
        assert [name for name, _ in janitors(begin, 50, max_silent=1)] == ["a", "d", "c"]

    def test_a_withdrawn_janitor_is_not_shown(self, begin: Begin):
        renew_janitor(begin, FIRST)
        renew_janitor(begin, SECOND)
        with begin() as work:
            work.monitoring.withdraw_janitor(FIRST.id)
            work.monitoring.withdraw_janitor(JanitorId("unknown"))
            work.commit()
        assert janitors(begin) == [("second", Liveness.LIVE)]

    def test_janitors_long_dead_are_forgotten(self, begin: Begin):
        renew_janitor(begin, FIRST)
        renew_janitor(begin, SECOND, 5)
        with begin() as work:
            assert work.monitoring.forget_dead_janitors(at(RETENTION)) == 1
            work.commit()
        assert janitors(begin, RETENTION) == [("second", Liveness.SILENT)]
