"""The ticks of a schedule: the fields of a crontab, and changes between summer and winter time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cron import CronCalendar
from application.errors import InvalidSchedule
from domain.schedule import Schedule

LISBON, NEW_YORK, LORD_HOWE = "Europe/Lisbon", "America/New_York", "Australia/Lord_Howe"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ticks(every: str, timezone: str, after: str, number: int = 3) -> list[str]:
    """The first ticks after a moment, in UTC."""
    found = [moment(after)]
    for _ in range(number):
        found.append(CronCalendar().next_after(Schedule(every=every, timezone=timezone), found[-1]))
    return [each.isoformat(" ")[:16] for each in found[1:]]


@pytest.mark.parametrize(
    ("every", "timezone", "after", "expected"),
    [
        ("* * * * *", "UTC", "2026-01-01 12:00", ["2026-01-01 12:01", "2026-01-01 12:02", "2026-01-01 12:03"]),
        ("* * * * *", "UTC", "2026-01-01 12:00:00.000001", ["2026-01-01 12:01"]),
        ("* * * * *", "UTC", "2026-01-01 12:00:59.999999", ["2026-01-01 12:01"]),
        ("0 7 * * 1-5", LISBON, "2026-07-03 06:00", ["2026-07-06 06:00", "2026-07-07 06:00", "2026-07-08 06:00"]),
        ("0 7 * * MON-FRI", LISBON, "2026-01-02 07:00", ["2026-01-05 07:00"]),
        ("0 0 L * *", "UTC", "2026-02-01 00:00", ["2026-02-28 00:00", "2026-03-31 00:00", "2026-04-30 00:00"]),
        ("0 0 29 2 *", "UTC", "2026-03-01 00:00", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("0 0 29 2 *", LISBON, "2096-03-01 00:00", ["2104-02-29 00:00"]),  # 2100 has none
        # Both days match where one begins with *, and either otherwise, as in Debian's cron.
        ("0 0 */2 * MON", "UTC", "2026-01-01 00:00", ["2026-01-05 00:00", "2026-01-19 00:00", "2026-02-09 00:00"]),
        ("0 0 13 * FRI", "UTC", "2026-01-09 00:00", ["2026-01-13 00:00", "2026-01-16 00:00", "2026-01-23 00:00"]),
        ("0 0 1-7 * */7", "UTC", "2026-01-01 00:00", ["2026-01-04 00:00", "2026-02-01 00:00", "2026-03-01 00:00"]),
        ("0 0 * * 5-7", "UTC", "2026-01-01 00:00", ["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00"]),
        ("30 7 * * *", "Asia/Kolkata", "2026-01-01 12:00", ["2026-01-02 02:00", "2026-01-03 02:00"]),
        ("15 0 * * *", "Asia/Kathmandu", "2026-01-01 12:00", ["2026-01-01 18:30", "2026-01-02 18:30"]),
    ],
)
def test_a_schedule_ticks_when_its_fields_say_so(every: str, timezone: str, after: str, expected: list[str]):
    assert ticks(every, timezone, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("every", "timezone", "after", "expected"),
    [
        ("30 1 * * *", LISBON, "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:30"]),
        ("30 2 * * *", NEW_YORK, "2026-03-07 12:00", ["2026-03-08 07:00", "2026-03-09 06:30"]),
        ("15 2 * * *", LORD_HOWE, "2026-10-03 10:00", ["2026-10-03 15:30", "2026-10-04 15:15"]),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03 12:00", ["2018-11-04 03:00", "2018-11-05 02:00"]),
    ],
)
def test_a_tick_in_the_hour_skipped_in_spring_is_at_its_end(every: str, timezone: str, after: str, expected: list[str]):
    assert ticks(every, timezone, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("every", "timezone", "after", "expected"),
    [
        ("30 1 * * *", LISBON, "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("30 1 * * *", NEW_YORK, "2026-10-31 12:00", ["2026-11-01 05:30", "2026-11-02 06:30"]),
        ("45 1 * * *", LORD_HOWE, "2026-04-04 10:00", ["2026-04-04 14:45", "2026-04-05 15:15"]),
    ],
)
def test_a_tick_in_the_hour_repeated_in_autumn_comes_once(every: str, timezone: str, after: str, expected: list[str]):
    assert ticks(every, timezone, after, len(expected)) == expected


def test_in_the_second_repeated_hour_a_tick_of_the_first_is_over():
    assert ticks("30 1 * * *", LISBON, "2026-10-25 01:10", 1) == ["2026-10-26 01:30"]
    assert ticks("30 1 * * *", NEW_YORK, "2026-11-01 06:10", 1) == ["2026-11-02 06:30"]


def test_a_half_hourly_schedule_ticks_in_both_repeated_hours():
    spring = ["2026-03-29 00:30", "2026-03-29 01:00", "2026-03-29 01:30"]
    autumn = ["2026-10-25 00:00", "2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30", "2026-10-25 02:00"]
    assert ticks("*/30 * * * *", LISBON, "2026-03-29 00:00", 3) == spring
    assert ticks("*/30 * * * *", LISBON, "2026-10-24 23:30", 5) == autumn


@given(
    every=st.sampled_from(["30 1 * * *", "0,30 2 * * *", "*/20 * * * *", "*/20 1 * * *", "5 */3 * * *", "0 0 1 * *"]),
    timezone=st.sampled_from(["UTC", LISBON, NEW_YORK, LORD_HOWE, "Asia/Kolkata", "Africa/Cairo", "America/St_Johns"]),
    after=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
)
def test_the_next_tick_is_always_later_and_none_lies_between(every: str, timezone: str, after: datetime):
    start, schedule = after.replace(tzinfo=UTC), Schedule(every=every, timezone=timezone)
    tick = CronCalendar().next_after(schedule, start)
    assert start < tick
    assert (tick.tzinfo, tick.second, tick.microsecond) == (UTC, 0, 0)
    assert CronCalendar().next_after(schedule, start + (tick - start) / 2) == tick


@pytest.mark.parametrize(("year", "timezone"), [(2026, LISBON), (2026, NEW_YORK), (2026, LORD_HOWE)])
def test_a_daily_schedule_ticks_once_on_every_day_of_the_year(year: int, timezone: str):
    for hour in range(4):
        found = [f"{year - 1}-12-31 20:00"]
        found += ticks(f"30 {hour} * * *", timezone, found[0], 366)
        gaps = [moment(later) - moment(earlier) for earlier, later in pairwise(found[1:])]
        assert {timedelta(hours=22, minutes=59) < gap < timedelta(hours=25, minutes=1) for gap in gaps} == {True}


@pytest.mark.parametrize(
    ("every", "timezone", "why"),
    [
        ("61 * * * *", "UTC", "every='61 * * * *' with timezone='UTC' is not a schedule: bad minute"),
        ("* 24 * * *", "UTC", "bad hour"),
        ("* * * *", "UTC", "wrong number of fields"),
        ("*/0 * * * *", "UTC", "bad minute"),
        ("0 0 31 4 *", "UTC", "bad day-of-month"),
        ("0 0 30 2 *", LISBON, "bad day-of-month"),
        ("0 0 */29 2 0#5", "UTC", "it never comes"),  # the fifth Sunday, and that the 1st
        ("9" * 5000 + " * * * *", "UTC", "is not a schedule: exceeds"),
        ("* * * * *", "Lisbon", "timezone='Lisbon' is not a schedule: there is no such time zone"),
        ("* * * * *", "Europe", "there is no such time zone"),
        ("* * * * *", "", "there is no such time zone"),
        ("* * * * *", "../../etc/passwd", "there is no such time zone"),
        ("* * * * *", "/etc/localtime", "there is no such time zone"),
        ("* * * * *", "\0", "there is no such time zone"),
        ("* * * * *", "\ud800", "there is no such time zone"),
        ("* * * * *", "x" * 5000, "there is no such time zone"),
    ],
)
def test_an_invalid_schedule_is_refused_with_a_sentence(every: str, timezone: str, why: str):
    with pytest.raises(InvalidSchedule) as refusal:
        ticks(every, timezone, "2026-01-01 00:00")
    assert why in str(refusal.value)
