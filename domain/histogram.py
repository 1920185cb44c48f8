"""Histograms of durations: exponential buckets, four to a doubling, so that any of them may be added up.

Bucket n has the durations from `2 ** (n / 4)` seconds up to `2 ** ((n + 1) / 4)`, which is 19 % more.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from math import floor, log

Buckets = Mapping[int, int]
"""The number of durations in each bucket that has any."""
BUCKETS_PER_DOUBLING = 4
BUCKETS_PER_E_FOLD = BUCKETS_PER_DOUBLING / log(2)
ROUNDING = 1e-9
"""Part of a bucket by which a bound may be missed, so that a power of two is never below its own bound."""
MIN_SECONDS = 0.001
"""Durations below it, negative ones included, are in the bucket of it."""
MAX_SECONDS = 7 * 24 * 3600.0
"""Durations above it are in the bucket of it."""
MEDIAN = 0.5


def bucket_between(start: datetime, end: datetime) -> int:
    """The bucket of the time between two moments."""
    return bucket_of(end.timestamp() - start.timestamp())


def bucket_of(seconds: float) -> int:
    """The bucket of a duration. The triggers of PostgreSQL have the same formula."""
    return floor(log(min(max(seconds, MIN_SECONDS), MAX_SECONDS)) * BUCKETS_PER_E_FOLD + ROUNDING)


def lower_bound(bucket: float) -> float:
    """The least seconds in a bucket; of a fraction, the seconds at that part of it."""
    return float(2.0 ** (bucket / BUCKETS_PER_DOUBLING))


def merged(histograms: Iterable[Buckets]) -> Buckets:
    """One histogram of all durations."""
    total: Counter[int] = Counter()
    for each in histograms:
        total.update(each)
    return total


def quantile(buckets: Buckets, share: float) -> float | None:
    """The seconds below which that share of the durations is, as if they were spread evenly over their buckets.

    None if there are no durations.
    """
    rank = share * sum(buckets.values())
    for bucket, number in sorted(buckets.items()):
        if number and rank <= number:
            return lower_bound(bucket + rank / number)
        rank -= number
    return None
