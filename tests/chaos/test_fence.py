"""The chaos suite notices a missing fence: a handler that was frozen settles its start while another one runs."""

import signal
from pathlib import Path

import pytest

from tests.chaos.scenario import Scenario, scenario
from tests.chaos.service_process import ServiceProcess
from tests.e2e.service import eventually

TASK_SECONDS = 4.0
"""Seconds that the task runs: the second start is under way when the first one ends."""


def broken_promises(folder: Path, handler: str, *, freeze_children: bool, **variables: str) -> set[str]:
    """The promises that a handler breaks after it was frozen while a second handler started its task."""
    with scenario(folder, handlers=1, janitors=1, handler=handler, lease=1.0, **variables) as it:
        first = it.service.handlers[0]
        it.submit("sleeps", seconds=TASK_SECONDS)
        eventually(lambda: len(it.runs()) == 1)
        it.service.record_fault("freeze_handler", first.pid, seconds=60)
        send_signal(signal.SIGSTOP, first, freeze_children)
        it.service.add_handler()
        eventually(lambda: second_start_has_begun(it, freeze_children))
        send_signal(signal.SIGCONT, first, freeze_children)
    return it.broken_promises


def second_start_has_begun(it: Scenario, freeze_children: bool) -> bool:
    """Whether the second start has begun, and the first has ended unless its child is frozen too."""
    return len(it.runs()) == 2 and (freeze_children or any(run.ended for run in it.runs()))


def send_signal(number: signal.Signals, handler: ServiceProcess, to_children: bool) -> None:
    """Send a signal to a handler, or to it and its children."""
    for process in (*(handler.children() if to_children else ()), handler):
        process.send_signal(number)


def test_with_the_fence_a_late_outcome_breaks_no_promise(tmp_path: Path):
    assert broken_promises(tmp_path, "entrypoints.handler", freeze_children=False) == set()


@pytest.mark.parametrize(
    ("statements", "freeze_children", "promise"),
    [
        ("SETTLE,SETTLE_SUCCESSES", False, "no_stale_outcome_is_accepted"),
        ("RENEW,LOST", True, "only_the_holder_settles_a_start"),
    ],
)
def test_without_the_fence_the_promise_of_that_statement_is_broken(
    tmp_path: Path, statements: str, freeze_children: bool, promise: str
):
    unfenced = "tests.chaos.unfenced"
    # On a busy machine the late outcome may come before the other handler has begun.
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        if promise in broken_promises(folder, unfenced, freeze_children=freeze_children, UNFENCED=statements):
            return
    pytest.fail(f"{promise} held without the fence")
