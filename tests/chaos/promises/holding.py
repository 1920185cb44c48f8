"""Who runs a task keeps it while it lives, and is given up soon when it does not."""

from collections.abc import Iterator

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import Hold, TaskHistory

SLACK = 3.0
"""Seconds for rounds, and for a machine that is busy with something else."""
LAST_BREATH = 1.0
"""Seconds in which children notice that their handler has gone."""
SILENT = ("kill", "freeze", "partition", "drain")


def a_task_is_taken_only_from_a_handler_that_was_disturbed(
    task: TaskHistory, circumstances: Circumstances
) -> Iterator[str]:
    """An outage of the database, however long, takes nothing from a handler that lives."""
    for hold in task.holds:
        if _is_taken(hold, circumstances) and not circumstances.disturbed(
            hold.row.holder, hold.claimed.moment, hold.until, *SILENT
        ):
            assert hold.ended
            yield f"{hold.ended.author} took it from {hold.row.handler} at {hold.until:.3f}, which was well"


def _is_taken(hold: Hold, circumstances: Circumstances) -> bool:
    change = hold.ended
    return (
        change is not None
        and change.verb in ("lose", "release", "fail")
        and circumstances.wrote(change) != hold.row.holder
    )


def a_killed_handler_is_noticed_within_its_lease(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """Where the database is there: whoever takes tasks back holds still for a lease after an outage."""
    for hold in task.holds:
        for death in circumstances.disturbed(hold.row.holder, hold.claimed.moment, hold.until, "kill"):
            patience = 2 * circumstances.lease + SLACK
            since = max(death.since, hold.claimed.moment)
            if hold.until > since + patience and circumstances.is_calm(since - SLACK, since + patience):
                yield f"{hold.row.handler} was killed at {death.since:.3f}, and held it until {hold.until:.3f}"


def nothing_runs_on_without_its_handler(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    for run in task.runs:
        for death in circumstances.disturbances:
            is_its = death.pid == run.supervisor and death.action.startswith("kill")
            if is_its and run.ended and run.ended > death.since + LAST_BREATH:
                yield f"run {run.token} ended {run.ended - death.since:.1f} s after handler {run.supervisor} was killed"


def what_is_cancelled_is_ended_soon(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """Within a second, and what a busy machine needs; where its handler and the database hear each other."""
    for hold in task.holds:
        if hold.ended and hold.ended.verb == "cancel":
            for run in task.runs:
                patience = hold.until + 1.0 + SLACK
                is_late = hold.claimed.moment < run.started < hold.until and run.ended and run.ended > patience
                if is_late and run.supervisor == hold.row.holder and circumstances.is_calm(hold.until, patience):
                    yield f"it was cancelled at {hold.until:.3f}, and run {run.token} ended at {run.ended:.3f}"


PROMISES = (
    a_task_is_taken_only_from_a_handler_that_was_disturbed,
    a_killed_handler_is_noticed_within_its_lease,
    nothing_runs_on_without_its_handler,
    what_is_cancelled_is_ended_soon,
)
