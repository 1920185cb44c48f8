"""How long the next run of a type is expected to take."""

from adapters.executors.process.pool.durations import MAX_GROWTH_FACTOR, MAX_GROWTH_SECONDS, UNKNOWN_SECONDS, Durations
from domain.ids import TypeName

ADD = TypeName("add")


def pace(*seconds: float) -> Durations:
    """What was learnt from runs of these lengths."""
    pace = Durations()
    for each in seconds:
        pace.learn(ADD, each)
    return pace


def test_of_a_type_that_was_never_seen_everything_is_feared() -> None:
    assert pace().expected(ADD) == UNKNOWN_SECONDS
    assert pace(1).expected(TypeName("other")) == UNKNOWN_SECONDS


def test_one_run_is_enough_to_go_by() -> None:
    assert pace(0.5).expected(ADD) == 0.5


def test_one_that_took_longer_counts_in_full_within_reason() -> None:
    assert pace(0.1, 0.15).expected(ADD) == 0.15
    assert pace(1e-5, 3).expected(ADD) == MAX_GROWTH_FACTOR * 1e-5 + MAX_GROWTH_SECONDS, "it may have been held up"
    assert pace(1e-5, *[3] * 15).expected(ADD) == 3, "it surely was not"


def test_what_was_slow_is_trusted_again_only_slowly() -> None:
    assert 3 < pace(5, 0, 0, 0, 0).expected(ADD) < 4
    assert pace(5, *[0] * 100).expected(ADD) < 0.001
