"""A builder of task histories, to test the promises: each event happens a second after the one before it."""

from dataclasses import replace
from typing import Any

from tests.chaos.circumstances import (
    Circumstances,
    all_claims,
    all_holds,
    batch_sizes,
    by_id,
    key_times,
    members,
    tick_counts,
)
from tests.chaos.history import BLOCKED_UNTIL, BatchHistory, Call, Change, Fault, Request, Row, Run, TaskHistory

PIDS = {"handler-11": 11, "handler-12": 12, "janitor-0": 20, "api": 30}


class HistoryBuilder:
    """Builds the history of one task. Every method returns the builder."""

    def __init__(self, id: int = 1) -> None:
        self.task = TaskHistory(id)
        self.now = 1000.0
        self.faults: list[Fault] = []
        self.row: Row | None = None
        self.parents: list[TaskHistory] = []
        self.batches: dict[int, BatchHistory] = {}

    def submitted(self, **fields: Any) -> "HistoryBuilder":
        """The API adds the task, and answers with 201."""
        return self._write("api", Row(**fields)).requested("submit", 201)

    def blocked(self, *parents: "HistoryBuilder", rule: str = "fail", **fields: Any) -> "HistoryBuilder":
        """The API adds the task, which waits for these."""
        self.parents = [each.task for each in parents]
        return self.submitted(run_at=BLOCKED_UNTIL, if_parent_failed=rule, **fields)

    def unblocked(self) -> "HistoryBuilder":
        """A janitor lets it run."""
        return self.wrote("janitor-0", run_at=1.0)

    def failed_by_parent(self) -> "HistoryBuilder":
        """A janitor fails it."""
        return self.wrote("janitor-0", status="failed", error='["ParentFailed", "task 9 has failed", 0]')

    def with_batch(self, batch: BatchHistory) -> "HistoryBuilder":
        """There is this batch."""
        self.batches[batch.id] = batch
        return self

    def claimed(self, by: int = 11, **fields: Any) -> "HistoryBuilder":
        """The handler of this pid claims it."""
        assert self.row
        counted = {"claims": self.row.claims + 1, "attempt": self.row.attempt + 1}
        return self.wrote(f"handler-{by}", status="running", handler=f"a-host-{by}-c0ffee", **counted | fields)

    def ran(
        self,
        token: str = "t",
        by: int = 11,
        seconds: float | None = 1.0,
        attempt: int = 1,
        mark: str | None = None,
    ) -> "HistoryBuilder":
        """A run of its function starts, and ends after the seconds; None: it never ends."""
        start = self._tick()
        self.task.runs.append(Run(token, attempt, 99, by, start, None if seconds is None else start + seconds, mark))
        self.now += seconds or 0.0
        return self

    def succeeded(self, token: str = "t", by: int = 11, **fields: Any) -> "HistoryBuilder":
        """The handler records the result of that run."""
        return self.wrote(f"handler-{by}", status="done", handler=None, token=token, **fields)

    def failed(self, token: str = "t", by: int = 11) -> "HistoryBuilder":
        """The handler records the exception of that run."""
        return self.wrote(f"handler-{by}", status="failed", handler=None, error=f'["ValueError", "{token}", 1]')

    def lost(self, author: str = "janitor-0", **fields: Any) -> "HistoryBuilder":
        """It is rescued, and waits again."""
        assert self.row
        counted = {"attempt": self.row.attempt - 1, "losses": self.row.losses + 1}
        return self.wrote(author, status="waiting", handler=None, **counted | fields)

    def cancelled(self) -> "HistoryBuilder":
        """The API cancels it."""
        return self.wrote("api", status="cancelled", handler=None)

    def retried(self, **fields: Any) -> "HistoryBuilder":
        """The API retries it."""
        assert self.row
        return self.wrote("api", status="waiting", max_attempts=self.row.attempt + 1, losses=0, **fields)

    def deleted(self, author: str = "api") -> "HistoryBuilder":
        """The author deletes it."""
        return self._write(author, None)

    def wrote(self, author: str, **fields: Any) -> "HistoryBuilder":
        """The author changes these fields of the row."""
        assert self.row
        return self._write(author, replace(self.row, **fields))

    def requested(
        self, verb: str, code: int | None, seen: str | None = None, key: str | None = None
    ) -> "HistoryBuilder":
        """A client sends a request just before the present moment, which is answered now."""
        self.task.requests.append(Request(verb, self.now - 0.5, self.now + 0.1, code, seen, None, key))
        return self

    def called(self, *, is_acknowledged: bool = True) -> "HistoryBuilder":
        """A janitor calls the callback of the last finish."""
        assert self.row
        event = self.row.event(self.task.id)
        assert event
        self.task.calls.append(Call(event, self._tick(), is_acknowledged))
        return self

    def rewound(self) -> "HistoryBuilder":
        """The last change is lost with a primary."""
        self.task.lost.append(self.task.changes.pop())
        self.row = self.task.last
        self.task.is_there = self.row is not None
        return self

    def with_fault(self, action: str, pid: int | None, seconds: float = 0.0) -> "HistoryBuilder":
        """A fault of a process begins, or of the database for None."""
        now = self._tick()
        self.faults.append(Fault(action, pid, now, now + seconds))
        return self

    def later(self, seconds: float) -> "HistoryBuilder":
        """Time passes without an event."""
        self.now += seconds
        return self

    def circumstances(self, *others: "HistoryBuilder") -> Circumstances:
        """The circumstances of this task, and of other tasks beside it."""
        tasks = [self.task, *self.parents, *(other.task for other in others)]
        return Circumstances(
            lease=3.0,
            pids=PIDS,
            faults=self.faults,
            claims=all_claims(tasks),
            marks={run.token: run.mark for task in tasks for run in task.runs},
            keys=key_times(tasks),
            batches=batch_sizes(tasks),
            ticks=tick_counts(tasks),
            holds=all_holds(tasks),
            tasks=by_id(tasks),
            parents={self.task.id: frozenset(parent.id for parent in self.parents)},
            batch_histories=self.batches,
            members=members(tasks),
        )

    def _write(self, author: str, row: Row | None) -> "HistoryBuilder":
        self.task.changes.append(Change(self._tick(), author, self.row, row))
        self.task.is_there = row is not None
        self.row = row
        return self

    def _tick(self) -> float:
        self.now += 1.0
        return self.now
