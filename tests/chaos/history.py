"""What a trial leaves: what the database wrote, what functions ran, what clients were answered, what was disturbed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

FINAL = frozenset({"done", "failed", "cancelled"})
STEPS: Mapping[tuple[str, str], str] = {
    ("waiting", "running"): "claim",
    ("running", "running"): "keep",
    ("running", "done"): "succeed",
    ("waiting", "cancelled"): "cancel",
    ("running", "cancelled"): "cancel",
    ("failed", "waiting"): "retry",
    ("cancelled", "waiting"): "retry",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A task as it stood in the database. `token` names the run whose outcome it holds, where there is one."""

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

    @property
    def holder(self) -> int | None:
        """The process that holds it, as the id of the handler says."""
        return int(self.handler.rsplit("-", 2)[1]) if self.handler else None

    @property
    def is_final(self) -> bool:
        """Whether nothing happens any more unless somebody asks."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class Change:
    """One write of a row; `old` is None for an insert, `new` for a delete. `author` is the name of the process."""

    moment: float
    author: str
    old: Row | None
    new: Row | None

    @property
    def verb(self) -> str:
        """What happened to the task, in the words of the domain; anything else is told as it is."""
        old, new = self.old, self.new
        if old is None or new is None:
            return "delete" if old else "submit"
        if old.status == "running" and new.status in ("waiting", "failed"):
            return _ending(old, new)
        return STEPS.get((old.status, new.status), f"{old.status} to {new.status}")


def _ending(old: Row, new: Row) -> str:
    if new.losses > old.losses or (new.error or "").startswith('["Lost"'):
        return "lose"
    return "fail" if new.attempt == old.attempt else "release"


@dataclass(frozen=True, slots=True)
class Run:
    """A function that began, and the moment of its end if it came to it."""

    token: str
    attempt: int
    child: int
    supervisor: int
    started: float
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked, and the code it was answered with; None where no answer came. `seen` is the status shown."""

    verb: str
    asked: float
    answered: float
    code: int | None
    seen: str | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether nobody can say if it was carried out."""
        return self.code is None or self.code == 503


@dataclass(frozen=True, slots=True)
class Hold:
    """The time of one claim: who held the task, since when, and the change that ended it if there was one."""

    claimed: Change
    ended: Change | None

    @property
    def row(self) -> Row:
        """The task as it was claimed."""
        assert self.claimed.new
        return self.claimed.new

    @property
    def until(self) -> float:
        """The moment of its end."""
        return self.ended.moment if self.ended else float("inf")


@dataclass
class TaskHistory:
    """All that is known of one task."""

    id: int
    changes: list[Change] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    is_there: bool = True

    @cached_property
    def holds(self) -> list[Hold]:
        """Its claims, in order."""
        found: list[Hold] = []
        for change in self.changes:
            if change.verb == "claim":
                found.append(Hold(change, None))
            elif found and found[-1].ended is None and change.verb != "keep":
                found[-1] = Hold(found[-1].claimed, change)
        return found

    @property
    def retries(self) -> int:
        """How often somebody had it start over."""
        return sum(change.verb == "retry" for change in self.changes)

    @property
    def last(self) -> Row | None:
        """As it stands; None where it was deleted, or never was."""
        return self.changes[-1].new if self.changes else None

    def asked(self, verb: str, *codes: int) -> list[Request]:
        """The requests of that verb that were answered with one of these codes."""
        return [request for request in self.requests if request.verb == verb and request.code in codes]

    def may_have_asked(self, verb: str, code: int, before: float) -> bool:
        """Whether a request was sent by then that was answered so, or may have been."""
        sent = (each for each in self.requests if each.verb == verb and each.asked <= before)
        return any(each.code == code or each.is_unknown for each in sent)


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Something that was done, to the process `pid` or to the database (None), and how long it lasted."""

    action: str
    pid: int | None
    since: float
    until: float = float("inf")
