"""Durations: how long the next run of a type is expected to take."""

from adapters.executors.process.pool.durations import MAX_GROWTH_FACTOR, MAX_GROWTH_SECONDS, UNKNOWN_SECONDS, Durations
from domain.ids import TypeName

ADD = TypeName("add")


def durations(*seconds: float) -> Durations:
    """Durations that were learned from runs of these lengths."""
    durations = Durations()
    for each in seconds:
        durations.learn(ADD, each)
    return durations


def test_a_type_that_has_never_run_is_expected_to_take_very_long() -> None:
    assert durations().expected(ADD) == UNKNOWN_SECONDS
    assert durations(1).expected(TypeName("other")) == UNKNOWN_SECONDS


def test_one_run_sets_the_expectation() -> None:
    assert durations(0.5).expected(ADD) == 0.5


def test_a_run_that_took_longer_counts_in_full_up_to_a_bound() -> None:
    assert durations(0.1, 0.15).expected(ADD) == 0.15
    assert durations(1e-5, 3).expected(ADD) == MAX_GROWTH_FACTOR * 1e-5 + MAX_GROWTH_SECONDS, (
        "other processes may have held it up"
    )
    assert durations(1e-5, *[3] * 15).expected(ADD) == 3, "not fifteen times in a row"


def test_faster_runs_lower_the_expectation_only_slowly() -> None:
    assert 3 < durations(5, 0, 0, 0, 0).expected(ADD) < 4
    assert durations(5, *[0] * 100).expected(ADD) < 0.001
