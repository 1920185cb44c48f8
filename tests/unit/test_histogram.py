"""Histograms: buckets that any two histograms share, and quantiles that are near the exact ones."""

from datetime import UTC, datetime, timedelta
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.histogram import (
    MAX_SECONDS,
    MIN_SECONDS,
    bucket_between,
    bucket_of,
    lower_bound,
    merged,
    quantile,
)

WIDTH = lower_bound(1)
durations = st.floats(MIN_SECONDS, MAX_SECONDS)


def of(durations: list[float]) -> dict[int, int]:
    return dict(merged({bucket_of(each): 1} for each in durations))


@given(durations)
def test_a_bucket_has_its_durations_between_its_bounds(seconds: float):
    bucket = bucket_of(seconds)
    assert lower_bound(bucket) <= seconds * (1 + 1e-9)
    assert seconds < lower_bound(bucket + 1) * (1 + 1e-9)


@pytest.mark.parametrize("power", range(-9, 20))
def test_a_power_of_two_begins_a_bucket(power: int):
    assert bucket_of(2.0**power) == 4 * power


@pytest.mark.parametrize("seconds", [0, -1, -1e12, 1e-9, MIN_SECONDS])
def test_the_least_durations_share_a_bucket(seconds: float):
    assert bucket_of(seconds) == -40


@pytest.mark.parametrize("seconds", [MAX_SECONDS, 1e12, float("inf")])
def test_the_longest_durations_share_a_bucket(seconds: float):
    assert bucket_of(seconds) == 76


def test_the_bucket_between_two_moments_is_that_of_their_distance():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert bucket_between(start, start + timedelta(seconds=3)) == bucket_of(3)
    assert bucket_between(start, start - timedelta(seconds=3)) == bucket_of(0)


@given(st.lists(durations, min_size=1, max_size=50), st.floats(0.01, 0.99))
def test_a_quantile_is_within_a_bucket_of_the_exact_one(each: list[float], share: float):
    exact = sorted(each)[min(int(share * len(each)), len(each) - 1)]
    below = sorted(each)[max(int(share * len(each)) - 1, 0)]
    found = quantile(of(each), share)
    assert found is not None
    assert below / WIDTH * (1 - 1e-9) <= found <= exact * WIDTH * (1 + 1e-9)


def test_the_median_of_many_durations_is_near_the_exact_one():
    each = [1.01**n for n in range(1000)]
    assert quantile(of(each), 0.5) == pytest.approx(quantiles(each, n=2)[0], rel=0.02)


def test_a_quantile_is_interpolated_by_ratios_within_a_bucket():
    assert quantile({4: 100}, 0.5) == pytest.approx(2 ** (4.5 / 4))
    assert quantile({4: 100}, 0.25) == pytest.approx(2 ** (4.25 / 4))
    assert quantile({4: 1, 8: 1}, 0.99) == pytest.approx(2 ** (8.98 / 4))


def test_no_durations_have_no_quantile():
    assert quantile({}, 0.5) is None
    assert quantile({3: 0}, 0.5) is None
