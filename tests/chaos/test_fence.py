"""The chaos suite notices a missing fence: a handler that was frozen settles its start while another one runs."""

import signal
from pathlib import Path

import pytest

from tests.chaos.history import Run
from tests.chaos.scenario import Scenario, scenario
from tests.chaos.service_process import ServiceProcess
from tests.e2e.service import eventually

LEASE_SECONDS = 2.0
MAX_WAIT_SECONDS = 60.0
COUNT_LOGS = "SELECT count(*) FROM attempts WHERE strpos(log, 'the end') > 0"


def broken_promises(folder: Path, handler: str, *, ends_frozen: bool, **variables: str) -> set[str]:
    """The promises that a handler breaks after it was frozen while a second handler started its task.

    `ends_frozen`: whether the first run ends while its handler is frozen. Otherwise it is frozen too, and goes on.

    A run goes on until the door of its handler opens, so the second one still goes on when the first handler writes.
    """
    doors = folder / "doors"
    doors.mkdir()
    with scenario(folder, handlers=1, janitors=1, handler=handler, lease=LEASE_SECONDS, **variables) as it:
        first = it.service.handlers[0]
        it.submit("waits", doors=str(doors))
        eventually(lambda: run_of(it, first), MAX_WAIT_SECONDS)
        end_fault = it.service.begin_fault("freeze_handler", first.pid)
        send_signal(signal.SIGSTOP, first, to_children=not ends_frozen)
        second = it.service.add_handler()
        eventually(lambda: run_of(it, second), MAX_WAIT_SECONDS)
        if ends_frozen:
            (doors / str(first.pid)).touch()
            eventually(lambda: (run := run_of(it, first)) and run.ended, MAX_WAIT_SECONDS)
        send_signal(signal.SIGCONT, first, to_children=not ends_frozen)
        eventually(lambda: has_log(it) if ends_frozen else has_written(it, first, second), MAX_WAIT_SECONDS)
        end_fault()
        for process in (first, second):
            (doors / str(process.pid)).touch()
    return it.broken_promises


def run_of(it: Scenario, handler: ServiceProcess) -> Run | None:
    """The last run by a child of the handler."""
    return next((run for run in reversed(it.runs()) if run.supervisor == handler.pid), None)


def has_log(it: Scenario) -> bool:
    """Whether the log of an ended run has been stored: with its outcome, or late since the outcome was refused."""
    with it.service.server.connection() as connection, connection.cursor() as cursor:
        cursor.execute(COUNT_LOGS)
        return bool(cursor.fetchone()[0])


def has_written(it: Scenario, first: ServiceProcess, second: ServiceProcess) -> bool:
    """Whether the first handler has changed the task since the second one claimed it."""
    authors = [change.author for change in it.changes()]
    return second.name in authors and first.name in authors[authors.index(second.name) :]


def send_signal(number: signal.Signals, handler: ServiceProcess, *, to_children: bool) -> None:
    """Send a signal to a handler, or to it and its children."""
    for process in (*(handler.children() if to_children else ()), handler):
        process.send_signal(number)


def test_with_the_fence_a_late_outcome_breaks_no_promise(tmp_path: Path):
    assert broken_promises(tmp_path, "entrypoints.handler", ends_frozen=True) == set()


@pytest.mark.parametrize(
    ("statements", "ends_frozen", "promise"),
    [
        # Where it can find out that its task is lost, it may do so before the outcome has come.
        ("SETTLE,SETTLE_SUCCESSES,RENEW,LOST", True, "no_stale_outcome_is_accepted"),
        ("RENEW,LOST", False, "only_the_holder_settles_a_start"),
    ],
)
def test_without_the_fence_the_promise_of_that_statement_is_broken(
    tmp_path: Path, statements: str, ends_frozen: bool, promise: str
):
    broken = broken_promises(tmp_path, "tests.chaos.unfenced", ends_frozen=ends_frozen, UNFENCED=statements)
    assert promise in broken
