"""The suite notices a missing fence: a handler that was frozen and given up tells of its start when another runs."""

import signal
from pathlib import Path

import pytest

from tests.chaos.scenario import Scenario, scenario
from tests.chaos.slot import Slot
from tests.e2e.service import eventually

SECONDS = 4.0
"""How long the task runs: the second start is under way when the first one has ended."""


def broken_promises(folder: Path, handler: str, *, freeze_children: bool, **variables: str) -> set[str]:
    """What a first handler breaks that is frozen while its task is started by a second one."""
    with scenario(folder, handlers=1, janitors=1, handler=handler, lease=1.0, **variables) as it:
        first = it.world.handlers[0]
        it.submit("sleeps", seconds=SECONDS)
        eventually(lambda: len(it.runs()) == 1)
        it.world.note("freeze_handler", first.pid, seconds=60)
        send(signal.SIGSTOP, first, freeze_children)
        it.world.add_handler()
        eventually(lambda: is_time(it, freeze_children))
        send(signal.SIGCONT, first, freeze_children)
    return it.broken


def is_time(it: Scenario, freeze_children: bool) -> bool:
    """The second start has begun, and the first has ended where it could."""
    return len(it.runs()) == 2 and (freeze_children or any(run.ended for run in it.runs()))


def send(number: signal.Signals, slot: Slot, to_children: bool) -> None:
    """A signal to a handler, or all that belongs to it."""
    for process in (*(slot.children() if to_children else ()), slot):
        process.send_signal(number)


def test_with_the_fence_a_late_outcome_breaks_no_promise(tmp_path: Path):
    assert broken_promises(tmp_path, "entrypoints.handler", freeze_children=False) == set()


@pytest.mark.parametrize(
    ("statements", "freeze_children", "promise"),
    [
        ("SETTLE", False, "no_stale_outcome_is_accepted"),
        ("RENEW,LOST", True, "only_the_holder_says_how_a_start_ended"),
    ],
)
def test_without_it_the_checker_tells_which_one(tmp_path: Path, statements: str, freeze_children: bool, promise: str):
    unfenced = "tests.chaos.unfenced"
    assert promise in broken_promises(tmp_path, unfenced, freeze_children=freeze_children, UNFENCED=statements)
