"""Statistics of a period, and the usual run time of a type, over memory."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from adapters.memory import MemoryStore
from adapters.memory.statistics import MemoryStatistics
from application.errors import InvalidPeriod
from application.ports.statistics import RETENTION
from application.use_cases.find_usual_run_time import FindUsualRunTime
from application.use_cases.fold_events import FoldEvents
from application.use_cases.view_statistics import MAX_STEPS, Statistics, StatisticsRequest, ViewStatistics
from domain.event import Event
from domain.histogram import bucket_of, quantile
from domain.ids import TypeName
from tests import steps
from tests.storage import in_memory
from tests.unit.memory_service import Service

ADD, SUB = TypeName("add"), TypeName("sub")
NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def service() -> Service:
    """A service whose storage has the clock of its use cases."""
    service = Service()
    service.clock.set(NOON)
    service.store = MemoryStore(now=service.clock.now)
    service.storage = in_memory(service.store)
    return service


@pytest.fixture
def view(service: Service) -> ViewStatistics:
    return ViewStatistics(service.begin, service.clock)


def ran(service: Service, type: str = ADD, waited: float = 1, took: float = 2, fails: bool = False) -> None:
    """A task is submitted, waits, and runs; all of it is stored when it ends."""
    end = service.clock.now()
    start = end - timedelta(seconds=took)
    steps.add(service.storage, steps.submission(type, now=start - timedelta(seconds=waited)))
    task = steps.claim_one(service.storage, now=start, wanted={type: 1})
    (steps.fail if fails else steps.succeed)(service.storage, task, end)


def numbers(statistics: Statistics, type: TypeName = ADD) -> Mapping[Event, list[int]]:
    return {event: list(of) for event, of in statistics.types[type].counts.items() if any(of)}


def test_statistics_have_the_last_hour_by_minutes(service: Service, view: ViewStatistics):
    ran(service)
    service.clock.move(120)
    ran(service, fails=True)
    seen = view(StatisticsRequest())
    assert (seen.period.since, seen.period.until) == (datetime(2026, 3, 4, 11, 2, tzinfo=UTC), NOON + MINUTE * 2.5)
    assert seen.period.step == MINUTE
    assert seen.period.steps == 61
    of_first, of_last = [0] * 58 + [1, 0, 0], [0] * 58 + [0, 0, 1]
    assert numbers(seen) == {
        Event.SUBMITTED: [a + b for a, b in zip(of_first, of_last, strict=True)],
        Event.STARTED: [a + b for a, b in zip(of_first, of_last, strict=True)],
        Event.DONE: of_first,
        Event.FAILED: of_last,
    }


def test_statistics_have_the_durations_of_each_step(service: Service, view: ViewStatistics):
    ran(service, waited=1, took=10)
    ran(service, waited=1, took=10, fails=True)
    ran(service, waited=30, took=10)
    series = view(StatisticsRequest()).types[ADD]
    assert series.wait.histograms[-1] == {bucket_of(1): 2, bucket_of(30): 1}
    assert series.run.histograms[-1] == series.run.whole == {bucket_of(10): 3}
    assert series.wait.medians[-1] == pytest.approx(1, rel=0.2)
    assert series.wait.p99s[-1] == pytest.approx(30, rel=0.2)
    assert series.run.medians[-1] == quantile({bucket_of(10): 3}, 0.5)
    assert series.run.medians[-2] is series.run.p99s[-2] is None


def test_the_run_time_of_a_cancelled_task_is_left_out(service: Service, view: ViewStatistics):
    steps.add(service.storage, steps.submission(now=NOON))
    steps.save(service.storage, steps.claim_one(service.storage, now=NOON).cancel(NOON))
    series = view(StatisticsRequest()).types[ADD]
    assert series.number(Event.CANCELLED) == 1
    assert series.run.whole == {}


def test_types_are_in_order_and_added_up(service: Service, view: ViewStatistics):
    ran(service, SUB, took=10)
    ran(service, ADD, took=1)
    ran(service, ADD, took=1)
    seen = view(StatisticsRequest())
    assert list(seen.types) == [ADD, SUB]
    assert seen.total.number(Event.DONE) == 3
    assert seen.total.run.whole == {bucket_of(1): 2, bucket_of(10): 1}
    alone = view(StatisticsRequest(type=SUB))
    assert list(alone.types) == [SUB]
    assert alone.total.number(Event.DONE) == 1


def test_an_empty_period_has_no_types(view: ViewStatistics):
    seen = view(StatisticsRequest(since=NOON - DAY, until=NOON - HOUR))
    assert seen.types == {}
    assert list(seen.total.counts[Event.DONE]) == [0] * seen.period.steps


@pytest.mark.parametrize(
    ("length", "step", "number"), [(HOUR, MINUTE, 61), (DAY, 5 * MINUTE, 289), (14 * DAY, HOUR, 337)]
)
def test_the_default_step_makes_a_few_hundred_steps(
    view: ViewStatistics, length: timedelta, step: timedelta, number: int
):
    period = view(StatisticsRequest(since=NOON - length)).period
    assert (period.step, period.steps) == (step, number)


def test_a_period_begins_and_ends_with_a_whole_step(view: ViewStatistics):
    period = view(StatisticsRequest(since=NOON - HOUR, until=NOON, step=DAY)).period
    assert (period.since, period.until) == (datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("request_", "parameter"),
    [
        (StatisticsRequest(since=NOON), "since"),
        (StatisticsRequest(since=NOON, until=NOON - HOUR), "since"),
        (StatisticsRequest(since=NOON - MINUTE * MAX_STEPS, until=NOON, step=MINUTE), "step"),
        (StatisticsRequest(since=datetime(1970, 1, 1, tzinfo=UTC)), "step"),
    ],
)
def test_a_period_without_end_or_with_too_many_steps_is_refused(
    view: ViewStatistics, request_: StatisticsRequest, parameter: str
):
    with pytest.raises(InvalidPeriod) as refusal:
        view(request_)
    assert refusal.value.parameter == parameter


def test_a_period_of_the_greatest_number_of_steps_is_viewed(view: ViewStatistics):
    since = datetime(2026, 3, 1, tzinfo=UTC)
    request = StatisticsRequest(since=since, until=since + MINUTE * MAX_STEPS, step=MINUTE)
    assert view(request).period.steps == MAX_STEPS


def is_read_every(service: Service, view: ViewStatistics, request: StatisticsRequest, seconds: float) -> bool:
    view(request)
    begun = service.begun
    service.clock.move(seconds - 0.1)
    view(request)
    is_kept = service.begun == begun
    service.clock.move(0.2)
    view(request)
    return is_kept and service.begun == begun + 1


def test_an_hour_is_read_every_two_seconds_and_a_day_every_thirty(service: Service, view: ViewStatistics):
    assert is_read_every(service, view, StatisticsRequest(since=NOON - HOUR, until=NOON), 2)
    assert is_read_every(service, view, StatisticsRequest(since=NOON - DAY + 5 * MINUTE, until=NOON), 30)


def test_a_period_that_is_over_is_read_once_in_a_step(service: Service, view: ViewStatistics):
    until = NOON.replace(second=0)
    assert is_read_every(service, view, StatisticsRequest(since=until - HOUR, until=until), 60)
    assert is_read_every(service, view, StatisticsRequest(since=until - DAY, until=until, step=15 * MINUTE), 900)
    assert is_read_every(service, view, StatisticsRequest(since=until - DAY, until=until, step=60 * MINUTE), 900)


def test_many_who_ask_within_a_minute_share_what_was_read(service: Service, view: ViewStatistics):
    for _ in range(20):
        view(StatisticsRequest())
        service.clock.move(0.05)
    assert service.begun == 1


class TestFolding:
    @pytest.fixture
    def fold(self, service: Service) -> FoldEvents:
        return FoldEvents(service.begin, service.clock)

    def test_events_are_folded_every_ten_seconds(self, service: Service, fold: FoldEvents):
        for seconds in (0, 9.9, 0.2):
            service.clock.move(seconds)
            fold()
        # The first call also adds old events up.
        assert service.begun == 3

    def test_a_full_batch_is_followed_by_another_at_once(self, service: Service, fold: FoldEvents):
        ran(service)
        service.clock.move(RETENTION.total_seconds() + 60)
        assert [fold(2), fold(2), fold(2)] == [2, 1, 0]
        assert service.begun == 3

    def test_events_are_added_up_after_an_hour_every_ten_minutes(
        self, service: Service, fold: FoldEvents, monkeypatch: pytest.MonkeyPatch
    ):
        added: list[timedelta] = []

        def add_up(_: object, until: datetime) -> bool:
            added.append(NOON.replace(second=0) - until)
            return len(added) == 1

        monkeypatch.setattr(MemoryStatistics, "add_up", add_up)
        assert [fold(2), fold(2)] == [2, 0]
        for _ in range(4):
            service.clock.move(200)
            fold()
        assert added == [HOUR, HOUR, HOUR - 10 * MINUTE]

    def test_events_are_kept_for_a_fortnight_whatever_becomes_of_the_tasks(
        self, service: Service, fold: FoldEvents, view: ViewStatistics
    ):
        ran(service)
        with service.begin() as work:
            work.cleaning.delete_expired(NOON + 300 * DAY, 10)
            work.commit()
        service.clock.move(RETENTION.total_seconds() - 60)
        fold()
        of_all = StatisticsRequest(since=NOON - HOUR)
        assert view(of_all).total.number(Event.DONE) == 1
        service.clock.move(120)
        fold()
        assert view(of_all).total.number(Event.DONE) == 0

    def test_all_entries_are_looked_at_until_they_are_folded(self, service: Service, monkeypatch: pytest.MonkeyPatch):
        looks: list[timedelta] = []
        left = [2, 2, 1, 1, 1]

        def fold_since(_: object, since: datetime, limit: int) -> int:
            looks.append(service.clock.now() - since)
            return left.pop(0)

        monkeypatch.setattr(MemoryStatistics, "fold", fold_since)
        fold = FoldEvents(service.begin, service.clock)
        while left:
            fold(2)
            service.clock.move(10 if len(looks) < 4 else 7200)
        assert looks == [RETENTION] * 3 + [HOUR + timedelta(seconds=10), HOUR + timedelta(seconds=7200)]


class TestUsualRunTime:
    @pytest.fixture
    def find(self, service: Service) -> FindUsualRunTime:
        return FindUsualRunTime(service.begin, service.clock)

    def test_it_is_the_median_of_successful_runs(self, service: Service, find: FindUsualRunTime):
        for took in (1, 12, 12, 100):
            ran(service, took=took)
        ran(service, took=100, fails=True)
        ran(service, SUB, took=100)
        usual = find(ADD)
        assert usual
        assert usual.runs == 4
        assert usual.median == pytest.approx(12, rel=0.2)

    def test_only_the_latest_two_hundred_count(self, service: Service, find: FindUsualRunTime):
        for took in (100, 1):
            for _ in range(200):
                ran(service, took=took)
            service.clock.move(60)
        usual = find(ADD)
        assert usual
        assert usual.runs == 200
        assert usual.median == pytest.approx(1, rel=0.2)

    def test_it_is_unknown_after_a_day_without_a_successful_run(self, service: Service, find: FindUsualRunTime):
        assert find(ADD) is None
        ran(service)
        service.clock.move(24 * 3600 + 90)
        assert find(ADD) is None
