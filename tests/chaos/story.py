"""A history that is written by hand, to try the promises on: everything happens a second after what came before it."""

from dataclasses import replace
from typing import Any

from tests.chaos.circumstances import Circumstances, all_claims
from tests.chaos.history import Change, Disturbance, Request, Row, Run, TaskHistory

PROCESSES = {"handler-11": 11, "handler-12": 12, "janitor-0": 20, "api": 30}


class Story:
    """One task, and what befalls it; every step answers the story, so that it goes on."""

    def __init__(self, id: int = 1) -> None:
        self.task = TaskHistory(id)
        self.now = 1000.0
        self.disturbances: list[Disturbance] = []
        self.row: Row | None = None

    def submitted(self, **fields: Any) -> "Story":
        """And answered with 201."""
        return self._write("api", Row(**fields)).asked("submit", 201)

    def claimed(self, by: int = 11, **fields: Any) -> "Story":
        """By the handler of this pid."""
        assert self.row
        counted = {"claims": self.row.claims + 1, "attempt": self.row.attempt + 1}
        return self.wrote(f"handler-{by}", status="running", handler=f"a-host-{by}-c0ffee", **counted | fields)

    def ran(self, token: str = "t", by: int = 11, seconds: float | None = 1.0, attempt: int = 1) -> "Story":
        """A function from its beginning to its end."""
        start = self._tick()
        self.task.runs.append(Run(token, attempt, 99, by, start, None if seconds is None else start + seconds))
        self.now += seconds or 0.0
        return self

    def succeeded(self, token: str = "t", by: int = 11, **fields: Any) -> "Story":
        """With the outcome of that run."""
        return self.wrote(f"handler-{by}", status="done", handler=None, token=token, **fields)

    def failed(self, token: str = "t", by: int = 11) -> "Story":
        """With the exception of that run."""
        return self.wrote(f"handler-{by}", status="failed", handler=None, error=f'["ValueError", "{token}", 1]')

    def lost(self, author: str = "janitor-0", **fields: Any) -> "Story":
        """Taken back; it waits again."""
        assert self.row
        counted = {"attempt": self.row.attempt - 1, "losses": self.row.losses + 1}
        return self.wrote(author, status="waiting", handler=None, **counted | fields)

    def cancelled(self) -> "Story":
        """By the API."""
        return self.wrote("api", status="cancelled", handler=None)

    def retried(self, **fields: Any) -> "Story":
        """By the API."""
        assert self.row
        return self.wrote("api", status="waiting", max_attempts=self.row.attempt + 1, losses=0, **fields)

    def deleted(self, author: str = "api") -> "Story":
        """By the API, or whoever."""
        return self._write(author, None)

    def wrote(self, author: str, **fields: Any) -> "Story":
        """Some change of the row."""
        assert self.row
        return self._write(author, replace(self.row, **fields))

    def asked(self, verb: str, code: int | None, seen: str | None = None) -> "Story":
        """Something, at once before the present moment, and answered now."""
        self.task.requests.append(Request(verb, self.now - 0.5, self.now + 0.1, code, seen))
        return self

    def disturbed(self, action: str, pid: int | None, seconds: float = 0.0) -> "Story":
        """Something was done to a process, or to the database."""
        now = self._tick()
        self.disturbances.append(Disturbance(action, pid, now, now + seconds))
        return self

    def later(self, seconds: float) -> "Story":
        """Nothing happens for a while."""
        self.now += seconds
        return self

    def circumstances(self, *others: "Story") -> Circumstances:
        """Those of this task, and of others that were there."""
        claims = all_claims([self.task, *(other.task for other in others)])
        return Circumstances(3.0, PROCESSES, self.disturbances, claims)

    def _write(self, author: str, row: Row | None) -> "Story":
        self.task.changes.append(Change(self._tick(), author, self.row, row))
        self.task.is_there = row is not None
        self.row = row
        return self

    def _tick(self) -> float:
        self.now += 1.0
        return self.now
