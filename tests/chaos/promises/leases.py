"""Promises about leases: a live handler keeps its tasks, and a dead one is noticed soon."""

from collections.abc import Iterator

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import Hold, TaskHistory

SLACK_SECONDS = 3.0
"""Seconds for the rounds of a janitor, and for a busy machine."""
ORPHAN_SECONDS = 1.0
"""Seconds in which children notice that their handler has died."""
MIN_PID_REUSE_SECONDS = 60.0
"""Seconds in which no other handler gets the pid of a dead one: by then the system has given thousands of others."""
SILENCING = ("kill", "freeze", "partition", "drain")
EXCLUDING = ("exhaust", "read")
"""Faults of the database under which some sessions can write, and a handler may be unable to get such a session."""


def a_task_is_taken_only_from_a_handler_with_a_fault(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """An outage of the database, however long, takes no task from a live handler."""
    for hold in task.holds:
        holder, time = hold.row.holder, (hold.claimed.moment, hold.until)
        is_excused = (
            circumstances.faults_of(holder, *time, *SILENCING)
            or circumstances.faults_of(None, *time, *EXCLUDING)
            # On a slow line, a session that replaces one that was idle takes as long as a lease.
            or (
                circumstances.faults_of(hold.row.holder, *time, "slow") and circumstances.faults_of(None, *time, "role")
            )
        )
        if _is_taken(hold, circumstances) and not is_excused:
            assert hold.ended
            yield f"{hold.ended.author} took it from {hold.row.handler} at {hold.until:.3f}, which had no fault"


def _is_taken(hold: Hold, circumstances: Circumstances) -> bool:
    change = hold.ended
    return (
        change is not None
        and change.verb in ("lose", "release", "fail")
        and circumstances.author_pid(change) != hold.row.holder
    )


def a_killed_handler_is_noticed_within_its_lease(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """Unless the database was away: for a lease after an outage no task is rescued."""
    for hold in task.holds:
        for death in circumstances.faults_of(hold.row.holder, hold.claimed.moment, hold.until, "kill"):
            limit = 2 * circumstances.lease + SLACK_SECONDS
            since = max(death.since, hold.claimed.moment)
            if hold.until > since + limit and circumstances.is_responsive(since - SLACK_SECONDS, since + limit):
                yield f"{hold.row.handler} was killed at {death.since:.3f}, but held it until {hold.until:.3f}"


def no_run_outlives_its_handler(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    for run in task.runs:
        for death in circumstances.faults:
            is_its_handler = (
                death.pid == run.supervisor
                and death.action.startswith("kill")
                and run.started < death.since + MIN_PID_REUSE_SECONDS
            )
            if is_its_handler and run.ended and run.ended > death.since + ORPHAN_SECONDS:
                yield f"run {run.token} ended {run.ended - death.since:.1f} s after handler {run.supervisor} was killed"


def a_cancelled_run_ends_soon(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """It ends within a second and the slack, where its handler and the database respond."""
    for hold in task.holds:
        if hold.ended and hold.ended.verb == "cancel":
            for run in task.runs:
                deadline = hold.until + 1.0 + SLACK_SECONDS
                is_late = hold.claimed.moment < run.started < hold.until and run.ended and run.ended > deadline
                if is_late and run.supervisor == hold.row.holder and circumstances.is_responsive(hold.until, deadline):
                    yield f"it was cancelled at {hold.until:.3f}, but run {run.token} ended at {run.ended:.3f}"


PROMISES = (
    a_task_is_taken_only_from_a_handler_with_a_fault,
    a_killed_handler_is_noticed_within_its_lease,
    no_run_outlives_its_handler,
    a_cancelled_run_ends_soon,
)
