"""The clock shows the database's time, whatever the host's shows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import enumerate as living_threads

import pytest

from adapters.postgres import Database, PostgresClock
from application.errors import StorageUnavailable
from tests.concurrency import asked, until

SECOND = timedelta(seconds=1)
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def on_a_host_that_is_wrong_by(clock: PostgresClock, seconds: float) -> PostgresClock:
    """A clock before its first measurement, whose host's time is wrong."""
    clock._offset += seconds
    return clock


def agrees(clock: PostgresClock, database: Database, within: timedelta = SECOND) -> bool:
    """Tell whether the clock shows a moment between two of the database's, or is that close to one of them."""
    ((before,),) = asked(database, "SELECT clock_timestamp()")
    shown = clock.now()
    ((after,),) = asked(database, "SELECT clock_timestamp()")
    return bool(before - within <= shown <= after + within)


@pytest.fixture
def clock(database: Database) -> Iterator[PostgresClock]:
    clock = PostgresClock(database)
    yield clock
    clock.close()


@pytest.mark.parametrize("seconds", [3600, -3600, 1e8])
def test_hosts_with_wrong_clocks_agree_with_the_database(clock: PostgresClock, database: Database, seconds: float):
    on_a_host_that_is_wrong_by(clock, seconds)
    assert not agrees(clock, database)
    clock.measure()
    assert agrees(clock, database)


def test_a_measurement_is_off_by_less_than_it_took(clock: PostgresClock, database: Database):
    begun = clock.monotonic()
    clock.measure()
    assert agrees(clock, database, within=timedelta(seconds=clock.monotonic() - begun))


def test_an_open_clock_measures_by_itself(clock: PostgresClock, database: Database):
    on_a_host_that_is_wrong_by(clock, 3600).open()
    until(lambda: agrees(clock, database))


def test_a_moment_has_a_time_zone_and_does_not_go_back_between_measurements(clock: PostgresClock):
    moments = [clock.now() for _ in range(1000)]
    assert moments == sorted(moments)
    assert {moment.tzinfo for moment in moments} == {UTC}
    assert clock.monotonic() <= clock.monotonic()


def test_the_time_is_the_hosts_while_the_database_is_away():
    clock = PostgresClock(Database(NOWHERE))
    with pytest.raises(StorageUnavailable):
        clock.measure()
    clock.open()
    before, shown, after = datetime.now(UTC), clock.now(), datetime.now(UTC)
    assert before - SECOND <= shown <= after + SECOND
    clock.close()
    assert not any(thread.name == "clock" for thread in living_threads())
