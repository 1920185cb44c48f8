"""The records of an experiment: changes in the database, runs of functions, requests of clients, and faults."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from domain.instants import NEVER

ADMINISTRATOR = "administrator"
"""The author of rows that the service would not write."""
SUBMISSIONS = ("submit", "submit_keyed", "submit_many", "create_batch", "add_to_batch")
"""The verbs of requests that add tasks."""
BATCH_SEPARATOR = ":"
"""Stands in the mark of a task between its batch and the number of the batch's tasks."""
FINAL = frozenset({"done", "failed", "cancelled"})
HOLDER = re.compile(r"^namespace-(?P<namespaced>\d+)-|-(?P<pid>\d+)-[0-9a-f]+$")
"""The pid in the id of a handler. A handler in a namespace of its own has it in the name of its host."""
STEPS: Mapping[tuple[str, str], str] = {
    ("waiting", "running"): "claim",
    ("running", "running"): "renew",
    ("running", "done"): "succeed",
    ("waiting", "cancelled"): "cancel",
    ("running", "cancelled"): "cancel",
    ("failed", "waiting"): "retry",
    ("cancelled", "waiting"): "retry",
}
BLOCKED_STEPS: Mapping[tuple[str, str], str] = {
    ("waiting", "waiting"): "unblock",
    ("waiting", "failed"): "fail_by_parent",
    ("failed", "waiting"): "retry",
}
BLOCKED_UNTIL = NEVER.timestamp()
"""The `run_at` of a blocked task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A task as it was in the database.

    - `token`: names the run whose outcome it has, where there is one.
    - `mark`: the argument that no other task has; None for a task of a schedule.
    - `callback`: whether it has one.
    - `lane`: None of a type without lanes.
    - `finished`: microseconds since 1970.
    - `batch`: None of a task of its own.
    - `is_parent`: whether other tasks wait for it.
    - `if_parent_failed`: the rule of a task that waits for others; None of another one.
    """

    type: str = "sleeps"
    status: str = "waiting"
    priority: int = 0
    claims: int = 0
    attempt: int = 0
    max_attempts: int = 1
    losses: int = 0
    max_losses: int = 3
    handler: str | None = None
    run_at: float = 0.0
    expire: float = 1e10
    token: str | None = None
    error: str | None = None
    mark: str | None = None
    key: str | None = None
    callback: bool = False
    created: str | None = None
    finished: int | None = None
    lane: str | None = None
    batch: int | None = None
    is_parent: bool = False
    if_parent_failed: str | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether it waits for its parents, or has ended before they let it run."""
        return self.run_at == BLOCKED_UNTIL

    @property
    def holder(self) -> int | None:
        """The pid of the process that holds it, from the id of the handler; None for an id of another form."""
        found = HOLDER.search(self.handler or "")
        return int(found["namespaced"] or found["pid"]) if found else None

    def event(self, id: int) -> str | None:
        """The id of the callback's event, where it has finished and has a callback."""
        return f"task-{id}-{self.finished}" if self.callback and self.finished else None

    @property
    def is_final(self) -> bool:
        """Whether its status changes only on request."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class Change:
    """One write of a row; `old` is None for an insert, `new` for a delete. `author` names the process that wrote it."""

    moment: float
    author: str
    old: Row | None
    new: Row | None

    @property
    def is_revival(self) -> bool:
        """Whether it may be the retry of one of its parents that lets the task wait again."""
        return self.verb == "retry" and self.old is not None and self.old.is_blocked and self.old.status == "failed"

    @property
    def verb(self) -> str:
        """The verb of the domain for the change; the two statuses where there is none."""
        old, new = self.old, self.new
        if old is None or new is None:
            return "delete" if old else "submit"
        if new == replace(old, is_parent=True) != old:
            return "mark"
        if old.is_final and new == replace(old, expire=new.expire):
            return "keep"
        if old.is_blocked and (old.status, new.status) in BLOCKED_STEPS:
            return BLOCKED_STEPS[old.status, new.status]
        if old.status == "running" and new.status in ("waiting", "failed"):
            return _ending(old, new)
        return STEPS.get((old.status, new.status), f"{old.status} to {new.status}")


@dataclass(frozen=True, slots=True)
class BatchChange:
    """One write of a batch: what it is from then on. `finished`: microseconds since 1970."""

    moment: float
    is_open: bool = False
    finished: int | None = None
    then: int | None = None
    has_callback: bool = False


@dataclass
class BatchHistory:
    """All records of one batch. `counts`: those of its tasks at the end; None where it is gone."""

    id: int
    changes: list[BatchChange] = field(default_factory=list)
    calls: list["Call"] = field(default_factory=list)
    counts: Mapping[str, int] | None = None

    @property
    def last(self) -> BatchChange:
        """The batch after its last change."""
        return self.changes[-1]

    @property
    def finishes(self) -> list[BatchChange]:
        """The changes by which it finished."""
        before = [None, *(change.finished for change in self.changes)]
        pairs = zip(before, self.changes, strict=False)
        return [change for finished, change in pairs if change.finished and change.finished != finished]

    def at(self, moment: float) -> BatchChange | None:
        """The batch as it was then; None before it was created."""
        return next((change for change in reversed(self.changes) if change.moment <= moment), None)


def _ending(old: Row, new: Row) -> str:
    if new.losses > old.losses or (new.error or "").startswith('["Lost"'):
        return "lose"
    return "fail" if new.attempt == old.attempt else "release"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a function; `ended` is None where it did not end."""

    token: str
    attempt: int
    child: int
    supervisor: int
    started: float
    ended: float | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a callback: the id of the event, and whether the receiver acknowledged it."""

    event: str
    moment: float
    is_acknowledged: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a client, and the code of its answer; None where none came.

    - `seen`: the task's status in the answer.
    - `mark`: the mark of the task in the answer, or of the submission.
    - `key`: the idempotency key of the submission.
    """

    verb: str
    sent: float
    answered: float
    code: int | None
    seen: str | None = None
    mark: str | None = None
    key: str | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether the answer does not tell if the request was carried out."""
        return self.code is None or self.code == 503


@dataclass(frozen=True, slots=True)
class Hold:
    """The hold of a task under one claim: the change that began it, and the one that ended it, if there was one."""

    claimed: Change
    ended: Change | None

    @property
    def row(self) -> Row:
        """The task as it was claimed."""
        assert self.claimed.new
        return self.claimed.new

    @property
    def until(self) -> float:
        """The moment at which it ended."""
        return self.ended.moment if self.ended else float("inf")


@dataclass
class TaskHistory:
    """All records of one task.

    - `is_there`: whether it is in the database at the end.
    - `lost`: its changes that were lost with a primary, from which no standby had them.
    - `shares_id`: whether a primary was lost with another task of the same id.
    """

    id: int
    changes: list[Change] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    is_there: bool = True
    lost: list[Change] = field(default_factory=list)
    shares_id: bool = False

    @property
    def is_rewound(self) -> bool:
        """Whether a failover undid some of its changes, or its requests may be those of another task with its id."""
        return self.shares_id or any(change.verb != "renew" for change in self.lost)

    @property
    def is_administered(self) -> bool:
        """Whether an administrator wrote its row."""
        return any(change.author == ADMINISTRATOR for change in (*self.changes, *self.lost))

    @property
    def mark(self) -> str | None:
        """The argument that no other task has."""
        return next((change.new.mark for change in (*self.changes, *self.lost) if change.new), None)

    def at(self, moment: float) -> Row | None:
        """The row as it was then; None before the task was submitted, and after its deletion."""
        return next((change.new for change in reversed(self.changes) if change.moment <= moment), None)

    @cached_property
    def holds(self) -> list[Hold]:
        """The holds of its claims, in order."""
        found: list[Hold] = []
        for change in self.changes:
            if change.verb == "claim":
                found.append(Hold(change, None))
            elif found and found[-1].ended is None and change.verb not in ("renew", "mark"):
                found[-1] = Hold(found[-1].claimed, change)
        return found

    @property
    def retries(self) -> int:
        """How often it was retried on request."""
        return sum(change.verb == "retry" for change in self.changes)

    @property
    def last(self) -> Row | None:
        """The last row; None where the task was deleted, or never existed."""
        return self.changes[-1].new if self.changes else None

    def requests_answered(self, verb: str, *codes: int) -> list[Request]:
        """The requests of that verb that were answered with one of these codes."""
        return [request for request in self.requests if request.verb == verb and request.code in codes]

    def may_be_requested(self, verb: str, code: int, before: float) -> bool:
        """Whether a request sent by then was answered with the code, or its answer is unknown."""
        sent = (each for each in self.requests if each.verb == verb and each.sent <= before)
        return any(each.code == code or each.is_unknown for each in sent)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the process `pid`, or of the database for None, and its time."""

    action: str
    pid: int | None
    since: float
    until: float = float("inf")
