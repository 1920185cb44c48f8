"""The life of a task: its starts in their order, each with the time that it waited and ran, and as a bar."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from application.use_cases.find_usual_run_time import UsualRunTime
from domain.ids import HandlerId
from domain.settlement import Attempt, Outcome
from domain.status import Status
from domain.task import Task

WIDTH = 1000
"""Units of the axis of all bars."""
MIN_WIDTH = 4
RUNNING_SHARE = 0.25
"""Share of the time before a start that its bar is long at least while it runs, and no run time is usual."""
MIN_RUNNING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the axis."""

    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Start:
    """A start of a task.

    - `record`: its record; None if it has none, since it neither failed nor was lost nor printed anything.
    - `due`: when it began to wait; None if that is unknown.
    - `started`, `ended`: None if it has not, or that is unknown.
    - `handler`: the one that runs it; of a start that has ended none is stored.
    """

    claim: int
    attempt: int
    outcome: Outcome
    record: Attempt | None
    due: datetime | None
    started: datetime | None
    ended: datetime | None
    handler: HandlerId | None = None
    waits: Bar | None = None
    runs: Bar | None = None

    @property
    def wait_seconds(self) -> float | None:
        """Seconds that it waited."""
        return _seconds(self.due, self.started)

    @property
    def run_seconds(self) -> float | None:
        """Seconds that it ran."""
        return _seconds(self.started, self.ended)


def life_of(task: Task, records: Sequence[Attempt], usual: UsualRunTime | None) -> Sequence[Start]:
    """The last starts of a task, the oldest first, with bars on one axis."""
    return _with_bars(_starts(task, records), usual)


def _starts(task: Task, records: Sequence[Attempt]) -> Sequence[Start]:
    starts: list[Start] = []
    for record in records:
        is_running = record.outcome is Outcome.RUNNING
        ended = None if is_running else record.ended
        due = _due(task, starts, record.started)
        handler = task.lease.handler if is_running and task.lease else None
        starts.append(Start(record.claim, record.attempt, record.outcome, record, due, record.started, ended, handler))
    return [*starts, *_unrecorded(task, starts)]


def _unrecorded(task: Task, starts: Sequence[Start]) -> Sequence[Start]:
    """The last start, if it has no record of its own."""
    is_recorded = starts and starts[-1].claim >= task.claims
    if is_recorded or task.started is None or task.status is Status.WAITING:
        return []
    handler = task.lease.handler if task.lease else None
    due = _due(task, starts, task.started)
    outcome = Outcome(task.status.value)
    return [Start(task.claims, task.attempt, outcome, None, due, task.started, task.finished, handler)]


def _due(task: Task, before: Sequence[Start], started: datetime | None) -> datetime | None:
    """When a start began to wait: at the end of the one before, or when the task was to run."""
    if started is None:
        return None
    if before:
        return before[-1].ended
    # The `run_at` of a task that is tried again is that of its next start.
    return task.run_at if task.created <= task.run_at <= started else task.created


def _with_bars(starts: Sequence[Start], usual: UsualRunTime | None) -> Sequence[Start]:
    moments = [moment for each in starts for moment in (each.due, each.started, each.ended) if moment]
    if not moments:
        return starts
    begin = min(moments)
    axis = [(moment - begin).total_seconds() for moment in moments]
    length = max(axis)
    if starts[-1].ended is None:
        length += max(usual.median if usual else 0, length * RUNNING_SHARE, MIN_RUNNING_SECONDS)

    def bar(since: datetime | None, until: datetime | None) -> Bar | None:
        if since is None or length <= 0:
            return None
        x = (since - begin).total_seconds() / length * WIDTH
        end = (until - begin).total_seconds() / length * WIDTH if until else WIDTH
        return Bar(min(int(x), WIDTH - MIN_WIDTH), max(int(end - x), MIN_WIDTH))

    return [replace(each, waits=bar(each.due, each.started), runs=bar(each.started, each.ended)) for each in starts]


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    return (until - since).total_seconds() if since and until else None
