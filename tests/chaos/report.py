"""The report of an experiment: the counts, and for each violation of a promise the whole history of its task."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from tests.chaos.experiment import ExperimentResult
from tests.chaos.history import BatchHistory, Change, Request, Row, Run, TaskHistory
from tests.chaos.promises import violations
from tests.chaos.promises.answers import wrong_answer

MAX_HISTORIES = 20
"""Violations that are shown with the histories of their tasks; further ones are shown without."""


def describe_violations(result: ExperimentResult) -> list[str]:
    """A sentence for every violation, with the history of its task."""
    found = violations(result.tasks, result.circumstances)
    without_task = (wrong_answer(request) for task, request in result.request_log.requests if task is None)
    return [
        *(f"{violation}\n{format_history(violation.task)}" for violation in found[:MAX_HISTORIES]),
        *(str(violation) for violation in found[MAX_HISTORIES:]),
        *filter(None, without_task),
        *result.stuck,
        *sorted(result.unexpected_exits),
    ]


def summary(result: ExperimentResult) -> str:
    """The counts, one line for each subject."""
    tasks = result.tasks
    verbs = Counter(change.verb for task in tasks for change in task.changes)
    ends = Counter(_end(task) for task in tasks)
    odd = {
        "rewound": sum(task.is_rewound for task in tasks),
        "of a shared id": sum(task.shares_id for task in tasks),
        "administered": sum(task.is_administered for task in tasks),
    }
    codes = Counter(f"{request.verb} {request.code or 'unanswered'}" for _, request in result.request_log.requests)
    lines: Mapping[str, Mapping[str, object]] = {
        "tasks": {"in all": len(result.tasks), **ends},
        "odd tasks": odd,
        "dependents": {"in all": len(result.circumstances.parents)},
        "batches": _batches(result.circumstances.batch_histories.values()),
        "callbacks": Counter(
            "acknowledged" if call.is_acknowledged else "refused" for task in tasks for call in task.calls
        ),
        "starts": {"claims": verbs["claim"], "runs": sum(len(task.runs) for task in tasks)},
        "changes": verbs,
        "requests": codes,
        "actions": result.actions,
        "log lines": result.log_texts,
        "longest wait": longest_waits(result),
    }
    return "\n".join(f"{name + ':':<14}{_counts(counts)}" for name, counts in lines.items())


def _batches(batches: Collection[BatchHistory]) -> dict[str, int]:
    return {
        "in all": len(batches),
        "finished": sum(bool(each.last.finished) for each in batches),
        "finishes": sum(len(each.finishes) for each in batches),
        "with a follower": sum(each.last.then is not None for each in batches),
        "acknowledged calls": sum(call.is_acknowledged for each in batches for call in each.calls),
    }


def _end(task: TaskHistory) -> str:
    if task.last:
        return task.last.status
    return "deleted" if task.changes else "lost with a primary"


def longest_waits(result: ExperimentResult) -> dict[str, str]:
    """The longest time between a task being due and its claim, by priority."""
    waits: dict[int, float] = {}
    for task in result.tasks:
        for before, change in zip(task.changes, task.changes[1:], strict=False):
            if change.verb == "claim" and change.old:
                wait = change.moment - max(before.moment, change.old.run_at)
                waits[change.old.priority] = max(wait, waits.get(change.old.priority, 0.0))
    return {f"priority {priority}": f"{wait:.1f} s" for priority, wait in sorted(waits.items(), reverse=True)}


def format_history(task: TaskHistory) -> str:
    """The events of a task, one line for each, in the order of their moments."""
    run_events = [event for run in task.runs for event in _run_events(run)]
    events = sorted([*map(_change_event, task.changes), *run_events, *map(_request_event, task.requests)])
    return "\n".join(f"    {moment:.3f}  {text}" for moment, text in events)


def _change_event(change: Change) -> tuple[float, str]:
    return change.moment, f"{change.author} wrote {change.verb}: {_format_row(change.new or change.old)}"


def _format_row(row: Row | None) -> str:
    assert row
    return (
        f"{row.type} {row.status}, claim {row.claims}, attempt {row.attempt}/{row.max_attempts}, "
        f"losses {row.losses}/{row.max_losses}, handler {row.handler}, token {row.token}, error {row.error}"
    )


def _run_events(run: Run) -> Iterator[tuple[float, str]]:
    yield run.started, f"run {run.token} starts: attempt {run.attempt}, handler {run.supervisor}, child {run.child}"
    if run.ended:
        yield run.ended, f"run {run.token} ends"


def _request_event(request: Request) -> tuple[float, str]:
    seconds = request.answered - request.sent
    answer = f"{request.code or 'nothing'} after {seconds:.3f} s, status {request.seen}"
    return request.answered, f"{request.verb} is answered with {answer}"


def _counts(counts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items())
