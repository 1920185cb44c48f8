"""The settlement of a start: all that is written when it has ended, as a whole or not at all."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.failure import Failure
from domain.ids import Claim, Hold
from domain.retry import RetryPolicy
from domain.status import Status
from domain.task import Task


class Outcome(StrEnum):
    """The outcomes of a start; RUNNING while it has none."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The record of a start that failed, was lost or printed something.

    - `ended`: of a start that goes on, the time up to which its log reaches.
    - `log`: the end of its output.
    """

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
    """The task after a start, its result as JSON text if there is one, and the record of the start if one is kept.

    `hold`: the hold that ends with it, under which the task must still be running.
    """

    hold: Hold
    task: Task
    result: str | None = None
    attempt: Attempt | None = None

    @property
    def characters(self) -> int:
        """Characters of its result and its log."""
        return len(self.result or "") + len(self.attempt.log if self.attempt else "")

    @property
    def ends_start(self) -> bool:
        """Whether it is the end of a start, not only a release."""
        return self.result is not None or self.attempt is not None

    @classmethod
    def succeeded(cls, running: Task, now: datetime, result: str, log: str = "") -> "Settlement":
        """The start succeeded. Its record is kept if it has printed anything."""
        record = _record(running, now, Outcome.DONE, log=log) if log else None
        return cls(hold=running.hold, task=running.succeed(now), result=result, attempt=record)

    @classmethod
    def failed(
        cls, running: Task, now: datetime, failure: Failure, policy: RetryPolicy, jitter: float, log: str = ""
    ) -> "Settlement":
        """The start failed: the task waits for another attempt, or has failed."""
        error = f"{failure.type}: {failure.message}"
        record = _record(running, now, Outcome.FAILED, error, failure.traceback, log)
        return cls(hold=running.hold, task=running.fail(now, failure, policy, jitter), attempt=record)

    @classmethod
    def lost(cls, running: Task, now: datetime, log: str = "") -> "Settlement":
        """The handler that held the task is gone. A claim that never became a start leaves no record."""
        if running.started is None:
            return cls.released(running, now)
        return cls(hold=running.hold, task=running.lose(now), attempt=_lost_record(running, now, log))

    @classmethod
    def spared(cls, running: Task, now: datetime) -> "Settlement":
        """The handler of a started task is gone, and another task may have ended it."""
        return cls(hold=running.hold, task=running.spare(now), attempt=_lost_record(running, now))

    @classmethod
    def set_aside(cls, running: Task, now: datetime, why: str) -> "Settlement":
        """The storage refuses every other settlement of the start."""
        return cls(hold=running.hold, task=running.set_aside(now, why))

    @classmethod
    def unstorable(cls, settlement: "Settlement", now: datetime, why: str) -> "Settlement":
        """The start failed for good, since its outcome cannot be stored. The log is kept."""
        running = replace(settlement.task, status=Status.RUNNING, finished=None)
        failure = Failure("Unstorable", f"its outcome cannot be stored: {why}", retriable=False)
        record = settlement.attempt and settlement.attempt.log
        return replace(cls.failed(running, now, failure, RetryPolicy(), 0, record or ""), hold=settlement.hold)

    def without_log(self) -> "Settlement":
        """The same settlement without the output of the start."""
        return replace(self, attempt=self.attempt and replace(self.attempt, log=""))

    @classmethod
    def released(cls, running: Task, now: datetime) -> "Settlement":
        """The task is given back unstarted."""
        return cls(hold=running.hold, task=running.release(now))

    @classmethod
    def rerouted(cls, running: Task, now: datetime, delay: float) -> "Settlement":
        """The task is given back unstarted, and is due for another handler in `delay` seconds."""
        return cls(hold=running.hold, task=running.reroute(now, delay))


@dataclass(frozen=True, slots=True)
class RunningLog:
    """The record of a start that goes on, with the end of its output so far.

    It is stored if the task is still held. The settlement of the start replaces it. That of a rescuer, which knows of
    no output, keeps its log.
    """

    hold: Hold
    record: Attempt

    @classmethod
    def of(cls, running: Task, now: datetime, log: str) -> "RunningLog":
        """The record of a running task, as its handler knows it."""
        return cls(running.hold, _record(running, now, Outcome.RUNNING, log=log))


@dataclass(frozen=True, slots=True)
class LateLog:
    """The record of a start that cannot be settled any more, since its task was cancelled or taken back.

    It is stored if the task still exists, and changes nothing of the task. If the start has a record already, the log
    is added to that one, unless the record has a log or tells how the start ended: it is of another start then, which
    was given the same claim after a failover that lost this one. A log that this handler stored while the start went on
    is replaced. The outcome becomes CANCELLED if the task was cancelled under this claim.

    `created`: tells the task from a later one with the same id, after a failover that lost this one.
    """

    hold: Hold
    created: datetime
    record: Attempt

    @classmethod
    def of(cls, taken: Task, now: datetime, log: str) -> "LateLog":
        """The record of the start of a task that was taken from its handler, as that handler knows it."""
        return cls(taken.hold, taken.created, _record(taken, now, Outcome.LOST, log=log))

    @classmethod
    def instead_of(cls, refused: Settlement, record: Attempt) -> "LateLog":
        """The record of a settlement that was refused."""
        return cls(refused.hold, refused.task.created, replace(record, outcome=Outcome.LOST))


def _lost_record(running: Task, now: datetime, log: str = "") -> Attempt:
    holder = running.lease.handler if running.lease else "unknown"
    return _record(running, now, Outcome.LOST, f"handler {holder} was lost", log=log)


def _record(
    running: Task,
    now: datetime,
    outcome: Outcome,
    error: str | None = None,
    traceback: str | None = None,
    log: str = "",
) -> Attempt:
    return Attempt(
        claim=Claim(running.claims),
        attempt=running.attempt,
        outcome=outcome,
        started=running.started,
        ended=now,
        error=error,
        traceback=traceback,
        log=log,
    )
