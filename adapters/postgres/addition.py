"""New tasks on their way into the table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause

from adapters.postgres import statements
from adapters.postgres.arrays import array
from domain.ids import TaskId
from domain.submission import Submission
from domain.task import Task

ASKED = (
    *("type", "created", "run_at", "expire", "ttl"),
    *("priority", "max_attempts", "max_losses", "timeout", "callback"),
)
"""The fields of a new task that are columns under the same names."""
PART = 2_000
"""So many are stored by one statement, while the next are written down for another."""


@dataclass(frozen=True, slots=True)
class Addition:
    """What is sent to add these, and what they become."""

    statement: TextClause
    columns: Mapping[str, str]
    fields: Sequence[dict[str, Any]]

    @classmethod
    def of(cls, submissions: Sequence[Submission]) -> "Addition":
        fields = [each.fields() for each in submissions]
        columns = {name: array([each[name] for each in fields]) for name in ASKED} | {
            "args": array([each.args for each in submissions]),
            "terms": array([_terms(each) for each in submissions]),
        }
        # The statement that minds keys takes a sixth more time, and keeps the order by itself.
        if not any(each.key for each in submissions):
            return cls(statements.ADD, columns, fields)
        columns["key"] = array([each.key for each in submissions])
        columns["fingerprint"] = array([each.fingerprint for each in submissions])
        return cls(statements.ADD_WITH_KEYS, columns, fields)

    def tasks(self, answered: Sequence[TaskId | None]) -> Sequence[Task | None]:
        """Under the ids that the statement has answered with."""
        ids = sorted(answered) if self.statement is statements.ADD else answered  # type: ignore[type-var]
        return [None if id is None else Task.restored(of | {"id": id}) for of, id in zip(self.fields, ids, strict=True)]


def parts(submissions: Sequence[Submission]) -> Iterator[Sequence[Submission]]:
    """What is stored by one statement: all where any has a key, since those are locked in one order."""
    size = len(submissions) if any(each.key for each in submissions) else PART
    for start in range(0, len(submissions), max(size, 1)):
        yield submissions[start : start + size]


def _terms(submission: Submission) -> str | None:
    # As text: an array of arrays would have them all of one length.
    return f"{{{','.join(map(str, submission.terms))}}}" if submission.terms else None
