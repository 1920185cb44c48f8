"""Children that die: the run at fault has crashed, and those behind it go on elsewhere."""

import inspect
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from application.ports.executor import Failed, Interrupted, Started, Succeeded
from domain.failure import Failure
from tests.concurrency import until
from tests.executor_driver import Driver
from tests.process_table import is_alive, linux_only


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("exit", "the process that ran it ended with exit code 3"),
        ("signal", "the process that ran it was killed by SIGKILL"),
        ("segfault", "the process that ran it was killed by SIGSEGV"),
        ("abort", "the process that ran it was killed by SIGABRT"),
    ],
)
def test_a_function_that_takes_its_process_with_it_has_crashed(driver: Driver, how: str, message: str) -> None:
    assert driver.failure("crashes", {"how": how}) == Failure("Crashed", message, retriable=True)
    driver.all_free()
    assert driver.result("echo", {"a": 1}) == {"a": 1}


@pytest.mark.usefixtures("unhurried")
def test_a_crash_costs_the_runs_behind_it_nothing(opened: Callable[..., Driver]) -> None:
    driver = opened()
    driver.run("echo")
    holds = [driver.start("echo", {"n": 0}), driver.start("crashes", {"how": "exit"})]
    assert driver.executor.free == 0, "no crash has shown how long it takes"
    holds += [driver.start("echo", {"n": n}) for n in range(2, 20)]
    outcomes = driver.outcomes(holds)
    assert [type(each) for each in outcomes] == [Succeeded, Failed] + [Succeeded] * 18


@pytest.mark.usefixtures("unhurried")
def test_a_poison_type_that_used_to_be_short_costs_other_runs_nothing(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    poison = tmp_path / "poison"
    driver = opened(concurrency=2)
    driver.run("crashes_if_there", {"path": str(poison)})
    driver.run("echo")
    poison.touch()
    holds = [driver.start("crashes_if_there", {"path": str(poison)})]
    holds += [driver.start("echo", {"n": n}) for n in range(50)]
    first, *rest = driver.outcomes(holds)
    assert isinstance(first, Failed)
    assert {type(each) for each in rest} == {Succeeded}


def test_a_child_that_dies_while_it_runs_nothing_is_replaced(opened: Callable[..., Driver]) -> None:
    driver = opened()
    child = driver.result("pid")
    os.kill(child, signal.SIGKILL)
    until(lambda: not is_alive(child))
    assert driver.result("pid") != child, "the run that was handed to the dead one was given to its successor"
    assert not driver.of(driver.received[-1].hold, Failed)  # type: ignore[union-attr]


@pytest.mark.usefixtures("paired")
def test_a_child_that_dies_with_one_run_behind_another_is_replaced(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    done = tmp_path / "done"
    done.touch()
    driver = opened(concurrency=2)
    child, _ = driver.outcomes([driver.start("pid"), driver.start("pid")])
    driver.run("waits", {"path": str(done)})
    driver.all_free()
    done.unlink()
    holds = [driver.start("waits", {"path": str(done)}) for _ in range(4)]
    driver.until(lambda: len({each.hold for each in driver.received if isinstance(each, Started)} & {*holds}) == 2)
    assert driver.executor.free == 0, "one stands behind each"
    os.kill(int(child.result), signal.SIGKILL)  # type: ignore[union-attr]
    driver.until(lambda: any(driver.of(hold, Failed) for hold in holds))
    done.touch()
    assert sorted(type(each).__name__ for each in driver.outcomes(holds)) == ["Failed"] + 3 * ["Succeeded"]
    driver.all_free()


@pytest.fixture
def shallow() -> Iterator[None]:
    """Python's stack may grow only a little more."""
    deepest = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 250)
    yield
    sys.setrecursionlimit(deepest)


@pytest.mark.usefixtures("unhurried", "unwatched")
def test_a_hundred_runs_of_a_dead_child_go_on_in_its_successor(
    opened: Callable[..., Driver], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    done = tmp_path / "done"
    done.touch()
    driver = opened(concurrency=1)
    child = driver.result("pid")
    driver.run("waits", {"path": str(done)})
    done.unlink()
    first, *others = (driver.start("waits", {"path": str(done)}) for _ in range(100))
    driver.started(first)
    request.getfixturevalue("shallow")
    os.kill(child, signal.SIGKILL)
    assert isinstance(driver.outcome(first), Failed)
    done.touch()
    assert {type(each) for each in driver.outcomes(others)} == {Succeeded}


DEADLY = """
import os, time
from typing import Annotated
from flask_tasks import task
class Deadly:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        if os.path.exists({path!r}):
            os.unlink({path!r})
            os._exit(1)
        return handler(int)
@task
def waits(path: str):
    while not os.path.exists(path):
        time.sleep(0.01)
@task
def dies():
    os._exit(1)
@task
def takes(n: Annotated[int, Deadly]):
    return n
"""


@pytest.mark.usefixtures("paired")
def test_a_child_that_dies_while_it_prepares_a_run_has_reported_the_one_before(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    file, deadly, done = (tmp_path / name for name in ("functions.py", "deadly", "done"))
    file.write_text(DEADLY.format(path=str(deadly)))
    driver = opened(str(file))
    driver.run("dies")  # It has described the types, so that it would prepare nothing more.
    done.touch()
    driver.run("waits", {"path": str(done)})
    done.unlink()
    deadly.touch()
    holds = [driver.start("waits", {"path": str(done)}), driver.start("takes", {"n": 1})]
    driver.started(holds[0])
    done.touch()
    assert {type(each) for each in driver.outcomes(holds)} == {Succeeded}
    assert not deadly.exists(), "the child has died of it"


@linux_only
@pytest.mark.usefixtures("unhurried", "unwatched")
def test_a_run_whose_outcome_was_not_reported_has_crashed_and_the_next_one_was_interrupted(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    mute, never = (str(tmp_path / name) for name in ("mute", "never"))
    driver = opened()
    driver.run("mutes_if_there", {"path": mute})
    Path(mute).touch()
    holds = [driver.start("mutes_if_there", {"path": mute}), driver.start("waits", {"path": never})]
    crashed = Failure("Crashed", "its process closed the pipe to the handler", retriable=True)
    assert driver.outcomes(holds) == [Failed(holds[0], crashed), Interrupted(holds[1])]
    assert driver.result("echo") == {}
