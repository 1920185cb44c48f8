"""Instants, leases, backoff, and the expiry of a task."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DomainError, InvalidOption, NaiveTime
from domain.ids import HandlerId, TaskId
from domain.instants import LATEST, after, aware, whole_second
from domain.lease import Lease
from domain.options import MAX_TIMEOUT_SECONDS, Options
from domain.retry import RetryPolicy
from domain.waiting import WaitingFor, waiting_for
from tests.steps import BOOM, NOW, PLAIN, at, submission

NAIVE = datetime(2026, 1, 1, 12)  # noqa: DTZ001
LEASE = Lease.granted(HandlerId("handler-1"), NOW, 30)
WAITING = submission(ttl=600).registered(TaskId(1))
RUNNING = WAITING.claim(LEASE)


class TestMoments:
    @pytest.mark.parametrize(
        "use",
        [
            aware,
            whole_second,
            lambda now: after(now, 1),
            lambda now: Lease.granted(HandlerId("h"), now, 30),
            LEASE.has_lapsed,
            WAITING.is_due,
            WAITING.may_expire,
            WAITING.cancel,
            lambda now: RUNNING.reported(now, None),
            RUNNING.succeed,
            RUNNING.cancel,
            lambda now: RUNNING.fail(now, BOOM, PLAIN, 0),
            lambda now: RUNNING.cancel(NOW).retry(now, 1),
            lambda now: submission(now=now).registered(TaskId(1)),
            lambda now: submission(run_at=now).registered(TaskId(1)),
        ],
    )
    def test_a_time_without_a_zone_is_refused(self, use):
        with pytest.raises(NaiveTime) as refusal:
            use(NAIVE)
        assert str(refusal.value) == "2026-01-01 12:00:00 has no time zone: a time must have one"

    def test_a_time_of_any_zone_is_accepted(self):
        there = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
        assert aware(there) == NOW
        assert after(there, 1) == at(1)

    def test_a_whole_second_is_not_in_the_future(self):
        assert whole_second(at(0.999999)) == NOW
        assert whole_second(NOW) == NOW

    @given(st.floats(0, allow_nan=False))
    def test_no_number_of_seconds_leads_beyond_the_year_9999(self, seconds: float):
        assert NOW <= after(NOW, seconds) <= LATEST


class TestLeases:
    def test_a_lease_lapses_after_its_last_moment(self):
        assert LEASE.until == at(30)
        assert not LEASE.has_lapsed(at(30))
        assert LEASE.has_lapsed(at(30.000001))


class TestBackoff:
    def test_a_backoff_doubles_up_to_its_cap(self):
        policy = RetryPolicy(first=1, factor=2, cap=60)
        assert [policy.delay(attempt, 0) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]

    @pytest.mark.parametrize("attempt", [310, 1025, 10**6])
    def test_no_attempt_overflows_the_backoff(self, attempt: int):
        assert RetryPolicy().delay(attempt, 0) == RetryPolicy().cap

    @given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e6), st.floats(1, 100))
    def test_jitter_takes_away_no_more_than_the_spread(
        self, attempt: int, jitter: float, spread: float, first: float, factor: float
    ):
        policy = RetryPolicy(first=first, factor=factor, cap=3600, spread=spread)
        full = policy.delay(attempt, 0)
        assert 0 <= full <= 3600
        assert full * (1 - spread) <= policy.delay(attempt, jitter) <= full


class TestExpiry:
    def test_a_task_expires_its_ttl_after_the_second_of_its_creation(self):
        task = submission(now=at(0.75), ttl=100).registered(TaskId(1))
        assert (task.created, task.run_at, task.expire) == (NOW, at(0.75), at(100))

    def test_a_delayed_task_expires_its_ttl_after_its_run_at(self):
        task = submission(ttl=100, run_at=at(5000.5)).registered(TaskId(1))
        assert (task.created, task.run_at, task.expire) == (NOW, at(5000.5), at(5100))

    def test_a_task_with_a_past_run_at_expires_its_ttl_after_now(self):
        task = submission(ttl=100, run_at=at(-5000)).registered(TaskId(1))
        assert (task.run_at, task.expire) == (at(-5000), at(100))

    def test_a_task_that_finishes_late_stays_readable_for_a_minute(self):
        for done in (RUNNING.succeed(at(599.9)), RUNNING.cancel(at(599.9)), RUNNING.lose(at(599.9))):
            assert done.expire >= at(599.9 + 60) or not done.status.is_final
        assert RUNNING.succeed(at(5000)).expire >= at(5060)

    def test_a_task_with_a_short_ttl_stays_readable_for_that_ttl(self):
        short = submission(ttl=5).registered(TaskId(1)).claim(LEASE)
        assert at(4.9 + 5) <= short.succeed(at(4.9)).expire <= at(4.9 + 7)

    def test_a_task_that_finishes_early_expires_as_before(self):
        assert RUNNING.succeed(at(1)).expire == WAITING.expire

    def test_a_task_in_backoff_expires_after_its_next_start(self):
        delayed = replace(RUNNING, max_attempts=2).fail(at(1), replace(BOOM, delay=10_000), PLAIN, 0)
        assert delayed.expire == at(10_601)

    @pytest.mark.parametrize("task", [WAITING, RUNNING.succeed(NOW), RUNNING.cancel(NOW)])
    def test_a_task_that_does_not_run_expires_at_its_time(self, task):
        assert not task.may_expire(at(599.999))
        assert task.may_expire(at(600))

    def test_a_running_task_never_expires(self):
        assert not RUNNING.may_expire(LATEST)


class TestWaiting:
    def test_a_task_is_due_from_its_moment_on(self):
        task = submission(run_at=at(10)).registered(TaskId(1))
        assert not task.is_due(at(9.999999))
        assert task.is_due(at(10))
        assert not task.claim(LEASE).is_due(at(10))

    def test_a_task_waits_for_its_run_at_then_for_a_handler(self):
        task = submission(run_at=at(10)).registered(TaskId(1))
        assert waiting_for(task, at(9), has_live_handler=False) is WaitingFor.RUN_AT
        assert waiting_for(task, at(10), has_live_handler=True) is WaitingFor.HANDLER
        assert waiting_for(task, at(10), has_live_handler=False) is WaitingFor.NO_HANDLER_FOR_TYPE

    @pytest.mark.parametrize("task", [RUNNING, RUNNING.succeed(NOW), RUNNING.cancel(NOW)])
    def test_a_task_that_does_not_wait_has_no_waiting_for(self, task):
        assert waiting_for(task, NOW, has_live_handler=False) is None


class TestOptions:
    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("priority", -101),
            ("priority", 101),
            ("max_attempts", 0),
            ("max_attempts", 10_001),
            ("max_losses", -1),
            ("max_losses", 10_001),
            ("timeout", 0),
            ("timeout", -1),
            ("timeout", float("nan")),
            ("timeout", float("inf")),
            ("timeout", MAX_TIMEOUT_SECONDS + 1),
        ],
    )
    def test_an_option_out_of_its_bounds_is_refused_by_name(self, option: str, value: Any):
        with pytest.raises(InvalidOption, match=f"^{option} is .*: it must be .+") as refusal:
            Options(**{option: value})
        assert (refusal.value.option, repr(refusal.value.value)) == (option, repr(value))

    @pytest.mark.parametrize(
        ("option", "value"),
        [("priority", -100), ("priority", 100), ("max_attempts", 10_000), ("max_losses", 0), ("timeout", 0.001)],
    )
    def test_an_option_at_its_bound_is_taken(self, option: str, value: Any):
        assert getattr(Options(**{option: value}), option) == value

    @pytest.mark.parametrize("ttl", [0, -1, MAX_TIMEOUT_SECONDS + 1])
    def test_a_ttl_is_from_a_second_to_ten_years(self, ttl: int):
        with pytest.raises(InvalidOption, match=r"^ttl is"):
            submission(ttl=ttl)

    def test_a_submission_carries_its_options(self):
        task = submission(priority=5, max_attempts=4, max_losses=0, timeout=1.5, callback="http://a").registered(
            TaskId(1)
        )
        assert (task.priority, task.max_attempts, task.max_losses, task.timeout) == (5, 4, 0, 1.5)
        assert task.callback == "http://a"


def test_the_docstring_of_an_error_is_its_message():
    assert str(InvalidOption("ttl", 0, "positive")) == "ttl is 0: it must be positive"
    assert isinstance(InvalidOption("ttl", 0, "positive"), DomainError)


def test_the_latest_moment_is_within_what_any_zone_can_show():
    assert datetime(9999, 1, 1, tzinfo=UTC) == LATEST
