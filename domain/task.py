"""A task and its lifecycle. Each verb takes a task whose status RULES allow, and returns a new one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.errors import InvalidTransition
from domain.failure import LOST, PARENT_FAILED, SET_ASIDE, Error, Failure
from domain.ids import BatchId, Claim, Hold, Lane, TaskId, TypeName
from domain.instants import NEVER, after, aware, whole_second
from domain.lease import Lease
from domain.progress import Progress
from domain.retry import RetryPolicy
from domain.status import RULES, Status, Verb
from domain.traceparent import Traceparent

READABLE_SECONDS = 60
"""Seconds for which a finished task stays readable at least, unless its `ttl` is shorter."""
READABLE_FROM_WHOLE_SECOND = timedelta(seconds=READABLE_SECONDS + 1)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task without its arguments and its result: those are texts beside it, since no rule depends on them.

    `attempt`: the number of starts that count.
    `losses`: the number of starts that ended through no fault of the task.
    `claims`: the number of all claims. It only rises, and the number of the present claim fences the writes of its
    handler.
    `started`: None in a running task that is claimed and not known to have started.
    `lane`: the lane in which it takes turns with others; None of a type without lanes.
    `labels`: its labels as the text of a JSON object; None without labels.
    `batch`: the batch with which it was submitted; None of a task of its own.
    `suspect`: whether it was running when its handler died, so that its function may have ended the handler.
    `has_references`: whether its arguments refer to results of other tasks, which its handler fills in.
    `traceparent`: its place in the trace of the request that submitted it; None without a trace.
    """

    id: TaskId
    type: TypeName
    created: datetime
    run_at: datetime
    expire: datetime
    ttl: int
    priority: int = 0
    max_attempts: int = 1
    max_losses: int = 3
    timeout: float | None = None
    callback: str | None = None
    status: Status = Status.WAITING
    attempt: int = 0
    losses: int = 0
    suspect: bool = False
    claims: int = 0
    lease: Lease | None = None
    started: datetime | None = None
    finished: datetime | None = None
    progress: Progress | None = None
    error: Error | None = None
    lane: Lane | None = None
    labels: str | None = None
    batch: BatchId | None = None
    has_references: bool = False
    traceparent: Traceparent | None = None

    @classmethod
    def restored(cls, fields: dict[str, Any]) -> "Task":
        """The task with all these fields by name. They are not checked, and the task keeps the dict itself.

        An initialiser would take six times as long, and each start of a task makes three tasks.
        """
        task = object.__new__(cls)
        object.__setattr__(task, "__dict__", fields)
        return task

    @property
    def hold(self) -> Hold:
        """The task under its present claim by the handler that has the lease; no handler holds a task without one."""
        return Hold(self.id, Claim(self.claims), self.lease.handler if self.lease else None)

    def is_due(self, now: datetime) -> bool:
        """Whether it waits only for a handler."""
        return self.status is Status.WAITING and self.run_at <= aware(now)

    @property
    def is_blocked(self) -> bool:
        """Whether it waits for its parents, or has ended before they let it run. It has never started then."""
        return self.run_at == NEVER

    @property
    def has_attempts_left(self) -> bool:
        """Whether it may be claimed: its `max_attempts` may have been lowered while it waits."""
        return self.attempt < self.max_attempts

    def may_expire(self, now: datetime) -> bool:
        """Whether it has expired. A running task never does."""
        return self.status in RULES[Verb.DELETE] and self.expire <= aware(now)

    @property
    def idle_claims(self) -> int:
        """The number of earlier claims that are not known to have become a start."""
        return self.claims - self.attempt - self.losses

    @property
    def must_start_on_record(self) -> bool:
        """Whether `started` has to be stored before the function begins, since nothing else would reveal a lost start.

        That is so for a task that may never start twice, for one with an earlier claim that may have started it, and
        for a suspect, which is charged only for a start of its own.
        """
        return self.started is None and (self.max_losses == 0 or self.idle_claims > 0 or self.suspect)

    def claim(self, lease: Lease, started: datetime | None = None) -> "Task":
        """Running under a new claim of a handler; `started` is given if the handler starts it at once.

        It is not kept of a suspect: the handler may run another suspect first.
        """
        self._must_allow(Verb.CLAIM)
        return self._changed(
            status=Status.RUNNING,
            attempt=self.attempt + 1,
            claims=self.claims + 1,
            lease=lease,
            started=None if self.suspect else started,
            finished=None,
            progress=None,
        )

    def reported(self, started: datetime, progress: Progress | None) -> "Task":
        """Started at that time, with this progress; None leaves the progress as it was."""
        return self._changed(started=aware(started), progress=progress or self.progress)

    def succeed(self, now: datetime) -> "Task":
        """Done for good, and its progress is 1 if its function has reported any."""
        self._must_allow(Verb.SUCCEED)
        progress = self.progress and self.progress.completed()
        return self._finished(Status.DONE, now, error=None, progress=progress)

    def fail(self, now: datetime, failure: Failure, policy: RetryPolicy, jitter: float) -> "Task":
        """Waiting for another attempt if one is left and may help, else failed."""
        self._must_allow(Verb.FAIL)
        error = Error(failure.type, failure.message, self.attempt)
        if not failure.retriable or self.attempt >= self.max_attempts:
            return self._finished(Status.FAILED, now, error=error)
        delay = policy.delay(self.attempt, jitter) if failure.delay is None else failure.delay
        return self._waiting_from(after(now, max(delay, 0)), now, error=error)

    def lose(self, now: datetime) -> "Task":
        """Taken back from a handler that is gone: waiting with no attempt spent, or failed after too many losses.

        A claim that never became a start is no loss.
        """
        self._must_allow(Verb.LOSE)
        if self.started is None:
            return self.release(now)
        losses = self.losses + 1
        if losses > self.max_losses:
            lost = Error(LOST, f"the handler that ran it was lost, start {losses} of {losses} that were", self.attempt)
            # The limit may have been lowered below the losses of before.
            return self._finished(Status.FAILED, now, losses=min(losses, self.max_losses + 1), error=lost)
        return self._waiting_from(self.run_at, now, attempt=self.attempt - 1, losses=losses)

    def spare(self, now: datetime) -> "Task":
        """Taken back from a handler that another task may have ended: waiting with neither attempt nor loss spent.

        A task that may never start twice is lost all the same.
        """
        self._must_allow(Verb.LOSE)
        return self.lose(now) if self.max_losses == 0 else self.release(now)

    def suspected(self) -> "Task":
        """A suspect from now on, until a retry."""
        return self._changed(suspect=True)

    def release(self, now: datetime) -> "Task":
        """Given back unstarted: nothing is spent, and it keeps its `run_at`."""
        self._must_allow(Verb.RELEASE)
        return self._waiting_from(self.run_at, now, attempt=self.attempt - 1)

    def reroute(self, now: datetime, delay: float) -> "Task":
        """Given back unstarted, due for another handler in `delay` seconds: nothing is spent."""
        self._must_allow(Verb.RELEASE)
        return self._waiting_from(after(now, delay), now, attempt=self.attempt - 1)

    def cancel(self, now: datetime) -> "Task":
        """Cancelled for good; a handler that runs it loses it."""
        self._must_allow(Verb.CANCEL)
        return self._kept_from(now)._finished(Status.CANCELLED, now)

    def set_aside(self, now: datetime, why: str) -> "Task":
        """Failed for good, since the storage refuses every other transition of its row."""
        self._must_allow(Verb.SET_ASIDE)
        return self._finished(Status.FAILED, now, error=Error(SET_ASIDE, why, self.attempt))

    def retry(self, now: datetime, attempts: int) -> "Task":
        """Waiting again from now on under its id, with that many attempts more, no losses and no suspicion.

        One that was never unblocked is blocked again.
        """
        self._must_allow(Verb.RETRY)
        fresh = {"max_attempts": self.attempt + attempts, "losses": 0, "suspect": False}
        if self.is_blocked:
            return self._changed(status=Status.WAITING, expire=NEVER, finished=None, error=None, **fresh)
        return self._waiting_from(aware(now), now, **fresh)

    def unblock(self, now: datetime, run_at: datetime | None = None) -> "Task":
        """Due from now on, or from `run_at` if that is later; only from then on it is kept for its `ttl`."""
        self._must_allow(Verb.UNBLOCK)
        due = aware(now) if run_at is None else max(aware(now), run_at)
        return self._changed(run_at=due, expire=after(whole_second(due), self.ttl))

    def fail_by_parent(self, now: datetime, why: str) -> "Task":
        """Failed for good without a start, since one of its parents has failed."""
        self._must_allow(Verb.FAIL_BY_PARENT)
        return self._kept_from(now)._finished(Status.FAILED, now, error=Error(PARENT_FAILED, why, self.attempt))

    def check_deletable(self) -> None:
        """Raises InvalidTransition: the task runs."""
        self._must_allow(Verb.DELETE)

    def _changed(self, **changes: Any) -> "Task":
        return Task.restored(self.__dict__ | changes)

    def _must_allow(self, verb: Verb) -> None:
        allowed = RULES[verb]
        if self.status not in allowed:
            raise InvalidTransition(self.id, self.status, verb, " or ".join(sorted(allowed)))

    def _waiting_from(self, run_at: datetime, now: datetime, **changes: Any) -> "Task":
        # A task that ran past its expiry has its whole `ttl` again, or it would be deleted before it could start.
        waits_from = run_at if self.expire > aware(now) else max(run_at, now)
        return self._changed(
            status=Status.WAITING,
            run_at=run_at,
            expire=max(self.expire, after(whole_second(waits_from), self.ttl)),
            lease=None,
            started=None,
            finished=None,
            progress=None,
            **changes,
        )

    def _finished(self, status: Status, now: datetime, **changes: Any) -> "Task":
        return self._changed(
            status=status, finished=aware(now), expire=self._readable_until(now), lease=None, **changes
        )

    def _kept_from(self, now: datetime) -> "Task":
        # A blocked task never expires. Once it has ended, it is kept as if it had been submitted then.
        return self._changed(expire=after(whole_second(now), self.ttl)) if self.is_blocked else self

    def _readable_until(self, now: datetime) -> datetime:
        # Nearly every task expires later than that, and the line below takes longer than all else here.
        if self.expire - now > READABLE_FROM_WHOLE_SECOND:
            return self.expire
        return max(self.expire, after(whole_second(now), min(READABLE_SECONDS, self.ttl) + 1))
