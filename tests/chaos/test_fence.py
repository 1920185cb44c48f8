"""The suite notices a missing fence: a handler that was frozen and given up tells of its start when another runs."""

import signal
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.chaos import runs
from tests.chaos.history import Request, Run
from tests.chaos.load import Record
from tests.chaos.promises import violations
from tests.chaos.trial import collect
from tests.chaos.world import World
from tests.e2e.service import eventually

SECONDS = 4.0
"""How long the task runs: the second start is under way when the first one has ended."""


def broken_promises(folder: Path, handler: str, *, freeze_children: bool, **variables: str) -> set[str]:
    """What a first handler breaks that is frozen while its task is started by a second one."""
    record = Record()
    with closing(World(folder, handlers=1, janitors=1, handler=handler, lease=1.0, **variables)) as world:
        world.await_ready()
        _submit(world, record)
        eventually(lambda: len(_runs(world)) == 1)
        _freeze(world, freeze_children)
        world.add_handler()
        eventually(lambda: len(_runs(world)) == 2)
        if not freeze_children:
            eventually(lambda: any(run.ended for run in _runs(world)))
        _thaw(world, freeze_children)
        world.await_end_of_tasks(30)
        time.sleep(0.5)
    outcome = collect(world, record)
    return {each.promise for each in violations(outcome.tasks.values(), outcome.circumstances)}


def _submit(world: World, record: Record) -> None:
    asked = time.time()
    answer = httpx.post(f"{world.address}/task/new/sleeps", json={"seconds": SECONDS})
    record.add(answer.json()["id"], Request("submit", asked, time.time(), answer.status_code))


def _runs(world: World) -> list[Run]:
    return [run for _, run in runs.read(world.runs)]


def _freeze(world: World, with_children: bool) -> None:
    first = world.handlers[0]
    world.note("freeze_handler", first.pid, seconds=60)
    for process in (first, *(first.children() if with_children else ())):
        process.send_signal(signal.SIGSTOP)


def _thaw(world: World, with_children: bool) -> None:
    first = world.handlers[0]
    for process in (*(first.children() if with_children else ()), first):
        process.send_signal(signal.SIGCONT)


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
