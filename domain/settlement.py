"""What is written when a start of a task has ended: one settlement a start, all of it or nothing."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.failure import Failure
from domain.ids import Claim, Hold
from domain.retry import RetryPolicy
from domain.task import Task


class Outcome(StrEnum):
    """How a start ended."""

    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The record of a start that failed, was lost or printed something. `log` is the last that it has printed."""

    claim: Claim
    attempt: int
    outcome: Outcome
    started: datetime | None
    ended: datetime
    error: str | None = None
    traceback: str | None = None
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The task after a start, its result as JSON text if there is one, and the record of the start if it is kept."""

    task: Task
    result: str | None = None
    attempt: Attempt | None = None

    @classmethod
    def succeeded(cls, running: Task, now: datetime, result: str, log: str = "") -> "Settlement":
        """The start ended well. It is recorded if it has printed anything."""
        record = _record(running, now, Outcome.DONE, log=log) if log else None
        return cls(task=running.succeed(now), result=result, attempt=record)

    @classmethod
    def failed(
        cls, running: Task, now: datetime, failure: Failure, policy: RetryPolicy, jitter: float, log: str = ""
    ) -> "Settlement":
        """The start failed; the task waits for another, or has failed."""
        error = f"{failure.type}: {failure.message}"
        record = _record(running, now, Outcome.FAILED, error, failure.traceback, log)
        return cls(task=running.fail(now, failure, policy, jitter), attempt=record)

    @classmethod
    def lost(cls, running: Task, now: datetime, log: str = "") -> "Settlement":
        """The handler that held the task is gone; a claim that never came to a start leaves no trace."""
        if running.started is None:
            return cls.released(running, now)
        holder = running.lease.handler if running.lease else "nobody"
        return cls(
            task=running.lose(now), attempt=_record(running, now, Outcome.LOST, f"handler {holder} was lost", log=log)
        )

    @classmethod
    def released(cls, running: Task, now: datetime) -> "Settlement":
        """The task is given back unstarted."""
        return cls(task=running.release(now))

    @classmethod
    def rerouted(cls, running: Task, now: datetime, delay: float) -> "Settlement":
        """The task is given back unstarted, for another handler, in so many seconds."""
        return cls(task=running.reroute(now, delay))


@dataclass(frozen=True, slots=True)
class LateLog:
    """What there is to say of a start that may not be settled any more, since its task was cancelled or taken away.

    `record` is kept where its task still exists, and changes nothing of the task. Where that start is on record
    already, its log is added there. The outcome is CANCELLED where the task was cancelled under that very claim.
    """

    hold: Hold
    record: Attempt

    @classmethod
    def of(cls, taken: Task, now: datetime, log: str) -> "LateLog":
        """The start of that task, as its holder knows it."""
        return cls(taken.hold, _record(taken, now, Outcome.LOST, log=log))

    @classmethod
    def instead_of(cls, hold: Hold, record: Attempt) -> "LateLog":
        """The start that ended with that record, which came too late."""
        return cls(hold, replace(record, outcome=Outcome.LOST))


def _record(
    running: Task,
    now: datetime,
    outcome: Outcome,
    error: str | None = None,
    traceback: str | None = None,
    log: str = "",
) -> Attempt:
    return Attempt(
        claim=running.hold.claim,
        attempt=running.attempt,
        outcome=outcome,
        started=running.started,
        ended=now,
        error=error,
        traceback=traceback,
        log=log,
    )
