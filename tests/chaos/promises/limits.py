"""Promises about limits: how many tasks of a type run at once, and how many start in a second."""

from collections.abc import Iterator

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import TaskHistory

CLOCK_ERROR_SECONDS = 0.001
"""Seconds by which two readings of the corrected clock may differ from the truth."""


def no_more_tasks_run_than_the_limit(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    for hold in task.holds:
        limit = circumstances.at_once.get(hold.row.type)
        running = circumstances.running_at(hold.row.type, hold.claimed.moment)
        if limit is not None and running > limit:
            yield f"with its claim at {hold.claimed.moment:.3f} {running} tasks of its type ran, of at most {limit}"


def no_more_tasks_of_a_lane_run_than_its_limit(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    for hold in task.holds:
        limit = circumstances.at_once_per_lane.get(hold.row.type)
        running = circumstances.running_at((hold.row.type, hold.row.lane), hold.claimed.moment)
        if limit is not None and running > limit:
            yield f"with its claim at {hold.claimed.moment:.3f} {running} tasks of its lane ran, of at most {limit}"


def no_more_tasks_start_than_the_rate(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """In no span of w seconds more than `burst + per_second * w`: looks at the spans that end with a claim of it."""
    for hold in task.holds:
        rate = circumstances.rates.get(hold.row.type)
        moments = circumstances.claims_until(hold.row.type, hold.claimed.moment) if rate else ()
        for number, first in enumerate(reversed(moments), 1):
            seconds = hold.claimed.moment - first + CLOCK_ERROR_SECONDS
            is_clock_steady = circumstances.is_clock_steady(first, hold.claimed.moment)
            if rate and is_clock_steady and number > rate.burst + rate.per_second * seconds:
                yield f"it was claim {number} of its type in {seconds:.3f} s"
                break


def most_at_once(type: str, circumstances: Circumstances) -> int:
    """The most tasks of a type that were held at one moment."""
    began, _ = circumstances.holds.get(type, ((), ()))
    return max((circumstances.running_at(type, moment) for moment in began), default=0)


PROMISES = (
    no_more_tasks_run_than_the_limit,
    no_more_tasks_of_a_lane_run_than_its_limit,
    no_more_tasks_start_than_the_rate,
)
