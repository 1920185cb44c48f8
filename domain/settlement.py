"""What is written when a start of a task has ended: one settlement a start, all of it or nothing."""

from dataclasses import dataclass
from datetime import datetime

from domain.failure import Failure
from domain.ids import Claim
from domain.retry import RetryPolicy
from domain.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The record of a start that failed or was lost; `outcome` is `failed` or `lost`."""

    claim: Claim
    attempt: int
    outcome: str
    started: datetime | None
    ended: datetime
    error: str
    traceback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The task after a start, its result as JSON text if there is one, and the record of the start if it is kept."""

    task: Task
    result: str | None = None
    attempt: Attempt | None = None

    @classmethod
    def succeeded(cls, running: Task, now: datetime, result: str) -> "Settlement":
        """The start ended well."""
        return cls(task=running.succeed(now), result=result)

    @classmethod
    def failed(cls, running: Task, now: datetime, failure: Failure, policy: RetryPolicy, jitter: float) -> "Settlement":
        """The start failed; the task waits for another, or has failed."""
        record = _record(running, now, "failed", f"{failure.type}: {failure.message}", failure.traceback)
        return cls(task=running.fail(now, failure, policy, jitter), attempt=record)

    @classmethod
    def lost(cls, running: Task, now: datetime) -> "Settlement":
        """The handler that held the task is gone; a claim that never came to a start leaves no trace."""
        if running.started is None:
            return cls.released(running)
        holder = running.lease.handler if running.lease else "nobody"
        return cls(task=running.lose(now), attempt=_record(running, now, "lost", f"handler {holder} was lost", None))

    @classmethod
    def released(cls, running: Task) -> "Settlement":
        """The task is given back."""
        return cls(task=running.release())


def _record(running: Task, now: datetime, outcome: str, error: str, traceback: str | None) -> Attempt:
    return Attempt(
        claim=running.hold.claim,
        attempt=running.attempt,
        outcome=outcome,
        started=running.started,
        ended=now,
        error=error,
        traceback=traceback,
    )
