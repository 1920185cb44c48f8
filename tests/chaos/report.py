"""What is said of a trial: the counts, and for each broken promise the whole history of its task."""

from collections import Counter
from collections.abc import Iterator, Mapping

from tests.chaos.history import Change, Request, Row, Run, TaskHistory
from tests.chaos.promises import violations
from tests.chaos.promises.answering import wrong_answer
from tests.chaos.trial import Outcome

SHOWN = 20
"""Violations whose histories are shown; the others are only counted."""


def broken(outcome: Outcome) -> list[str]:
    """Every violation, in a sentence and with the history of its task."""
    found = violations(outcome.tasks.values(), outcome.circumstances)
    nameless = (wrong_answer(request) for task, request in outcome.requests.requests if task is None)
    return [
        *(f"{violation}\n{told(violation.task)}" for violation in found[:SHOWN]),
        *(str(violation) for violation in found[SHOWN:]),
        *filter(None, nameless),
        *sorted(outcome.surprises),
    ]


def summary(outcome: Outcome) -> str:
    """The counts, a line a subject."""
    tasks = outcome.tasks.values()
    verbs = Counter(change.verb for task in tasks for change in task.changes)
    ends = Counter(task.last.status if task.last else "deleted" for task in tasks)
    codes = Counter(f"{request.verb} {request.code or 'unanswered'}" for _, request in outcome.requests.requests)
    lines: Mapping[str, Mapping[str, object]] = {
        "tasks": {"in all": len(outcome.tasks), **ends},
        "starts": {"claims": verbs["claim"], "runs": sum(len(task.runs) for task in tasks)},
        "changes": verbs,
        "requests": codes,
        "chaos": outcome.done,
        "logs": outcome.logged,
        "longest wait": longest_waits(outcome),
    }
    return "\n".join(f"{name + ':':<14}{_counts(counts)}" for name, counts in lines.items())


def longest_waits(outcome: Outcome) -> dict[str, str]:
    """Between being due and being claimed, by priority."""
    waits: dict[int, float] = {}
    for task in outcome.tasks.values():
        for before, change in zip(task.changes, task.changes[1:], strict=False):
            if change.verb == "claim" and change.old:
                wait = change.moment - max(before.moment, change.old.run_at)
                waits[change.old.priority] = max(wait, waits.get(change.old.priority, 0.0))
    return {f"priority {priority}": f"{wait:.1f} s" for priority, wait in sorted(waits.items(), reverse=True)}


def told(task: TaskHistory) -> str:
    """The history of a task, a line an event, by moment."""
    events = sorted([*map(_change, task.changes), *(each for run in task.runs for each in _run(run)), *_asked(task)])
    return "\n".join(f"    {moment:.3f}  {what}" for moment, what in events)


def _asked(task: TaskHistory) -> list[tuple[float, str]]:
    return [(request.answered, _request(request)) for request in task.requests]


def _change(change: Change) -> tuple[float, str]:
    return change.moment, f"{change.author} wrote {change.verb}: {_row(change.new or change.old)}"


def _row(row: Row | None) -> str:
    assert row
    return (
        f"{row.type} {row.status}, claim {row.claims}, attempt {row.attempt}/{row.max_attempts}, "
        f"losses {row.losses}/{row.max_losses}, handler {row.handler}, token {row.token}, error {row.error}"
    )


def _run(run: Run) -> Iterator[tuple[float, str]]:
    yield run.started, f"run {run.token} begins: attempt {run.attempt}, handler {run.supervisor}, child {run.child}"
    if run.ended:
        yield run.ended, f"run {run.token} ends"


def _request(request: Request) -> str:
    took = request.answered - request.asked
    return f"{request.verb} is answered with {request.code or 'nothing'} after {took:.3f} s, seen {request.seen}"


def _counts(counts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items())
