"""Samples: the value of each metric of the catalogue, by its labels."""

import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from math import inf
from typing import TypeAlias

from application.ports.monitoring import Liveness
from application.supervisor.tally import Histogram, Tally
from application.use_cases.measure import Measurements
from domain.delivery import DeliveryState
from domain.event import Event
from domain.histogram import BUCKETS_PER_DOUBLING, Buckets, lower_bound
from domain.status import Status
from entrypoints.version import VERSION

DURATION_POWERS = range(-8, 19)
"""Powers of two of seconds, from 4 ms to 3 days: the bounds of histograms of durations."""
FINAL_EVENTS = (Event.DONE, Event.FAILED, Event.CANCELLED)
COUNTED_EVENTS = {
    "submissions_total": Event.SUBMITTED,
    "starts_total": Event.STARTED,
    "retries_total": Event.RETRIED,
    "losses_total": Event.LOST,
}
CALLBACK_OUTCOMES = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.PENDING: "failed",
    DeliveryState.GIVEN_UP: "given_up",
}
"""The outcome of an attempt by the state of its delivery after it."""


@dataclass(frozen=True, slots=True)
class Cumulative:
    """A histogram as Prometheus has it: the number of values up to each bound, inf at last, and their sum."""

    numbers: Sequence[tuple[float, int]]
    sum: float


Labels: TypeAlias = tuple[str, ...]
Value: TypeAlias = float | Cumulative
Samples: TypeAlias = Mapping[str, Mapping[Labels, Value]]
"""The values of metrics, by the name of the metric and the values of its labels."""


def of_process(now: datetime, is_up: bool) -> Samples:
    """The samples of any process. `now`: the time of the database."""
    return {
        "database_up": {(): float(is_up)},
        "clock_offset_seconds": {(): time.time() - now.timestamp()},
        "build_info": {(VERSION, platform.python_version()): 1.0},
    }


def of_measurements(measured: Measurements) -> Samples:
    """The samples that the database knows."""
    types = sorted(measured.types.items())
    return {
        "tasks": {(type, status): of.tasks[status] for type, of in types for status in Status},
        "oldest_due_age_seconds": {(type,): of.oldest_due_seconds for type, of in types},
        "unhandled_tasks": {(type,): of.unhandled for type, of in types},
        **{name: {(type,): of.events[event] for type, of in types} for name, event in COUNTED_EVENTS.items()},
        "outcomes_total": {(type, event): of.events[event] for type, of in types for event in FINAL_EVENTS},
        "wait_seconds": {(type,): _durations(of.waits) for type, of in types},
        "run_seconds": {(type,): _durations(of.runs) for type, of in types},
        "handlers": {(state,): measured.handlers.get(state, 0) for state in Liveness},
        "janitors": {(state,): measured.janitors.get(state, 0) for state in (Liveness.LIVE, Liveness.SILENT)},
    }


def of_supervisor(tally: Tally) -> Samples:
    """The samples that the supervisor of a handler knows."""
    return {
        "claim_batch_tasks": {(): _cumulative(tally.claims)},
        "settle_batch_tasks": {(): _cumulative(tally.settlements)},
        "settle_lag_seconds": {(): _cumulative(tally.lags)},
        "refused_outcomes_total": {("late",): tally.late, ("unstorable",): tally.unstorable},
    }


def of_callbacks(attempts: Mapping[DeliveryState, int]) -> Samples:
    """The samples that a janitor knows: its attempts to send callbacks, by the state of the delivery after each."""
    return {"callbacks_total": {(outcome,): attempts.get(state, 0) for state, outcome in CALLBACK_OUTCOMES.items()}}


def of_requests(numbers: Iterable[tuple[str, str, int]]) -> Samples:
    """The samples that an API knows: the number of requests by route and code."""
    return {"http_requests_total": {(route, code): number for route, code, number in numbers}}


def _cumulative(histogram: Histogram) -> Cumulative:
    bounds = (*histogram.bounds, inf)
    return Cumulative(list(zip(bounds, accumulate(histogram.numbers), strict=True)), histogram.sum)


def _durations(buckets: Buckets) -> Cumulative:
    """The histogram of durations. Its sum takes each for the middle of its bucket, so it may miss by 9 %."""
    total = sum(buckets.values())
    numbers = [(2.0**power, sum(_below(buckets, power))) for power in DURATION_POWERS]
    middles = (number * lower_bound(bucket + 0.5) for bucket, number in buckets.items())
    return Cumulative([*numbers, (inf, total)], sum(middles))


def _below(buckets: Buckets, power: int) -> Iterator[int]:
    return (number for bucket, number in buckets.items() if bucket < power * BUCKETS_PER_DOUBLING)
