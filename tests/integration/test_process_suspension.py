"""Children that stand still: suspended by a signal, traced, or dying again and again before they begin a run."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.executors.process.pool.suspension_watch import MAX_SUSPENDED_LOOKS, STOOD_STILL, is_suspended
from application.ports.executor import Failed, Succeeded
from domain.failure import Failure
from tests.concurrency import until
from tests.executor_driver import Driver, processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")
WATCH = "adapters.executors.process.pool.suspension_watch"
LOOK_SECONDS = 0.02

TRACES = """
import ctypes, os, sys
attach, go_on, child = 16, 17, int(sys.argv[1])
library = ctypes.CDLL(None, use_errno=True)
if library.ptrace(attach, child, 0, 0):
    sys.exit(os.strerror(ctypes.get_errno()))
os.waitpid(child, 0)
print("attached", flush=True)
sys.stdin.read()
library.ptrace(go_on, child, 0, 0)
"""
"""A debugger: it suspends a process until its own input ends."""

DIES_IN_PREPARATION = """
import os, time
from typing import Annotated
from flask_tasks import task
class Deadly:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        if os.path.exists({deadly!r}):
            {how}
        return handler(int)
@task
def takes(n: Annotated[int, Deadly]):
    return n
@task
def ends():
    os._exit(1)
@task
def echo():
    return "echo"
"""


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{WATCH}.LOOK_SECONDS", LOOK_SECONDS)
    monkeypatch.setattr("adapters.executors.process.pool.start_watch.LOST_RUN_SECONDS", 0.5)


@pytest.fixture
def opened() -> Iterator[Callable[..., Driver]]:
    """Executors of a test's own."""
    with processes("tests/user_functions.py") as open:
        yield lambda *tasks: open(*(tasks or ("tests/user_functions.py", "tests/hostile_functions.py")))


def test_a_function_that_suspends_its_process_goes_on_after_a_while(opened: Callable[..., Driver]):
    driver = opened()
    assert driver.result("stops_itself") == "resumed"


def test_a_function_that_suspends_its_process_again_has_crashed(opened: Callable[..., Driver]):
    driver = opened()
    assert driver.failure("stops_itself", {"times": 2}) == STOOD_STILL
    assert driver.result("stops_itself") == "resumed", "in the next process"


def test_each_run_of_a_process_may_be_suspended_once(opened: Callable[..., Driver]):
    driver = opened()
    child = driver.result("pid")
    assert [driver.result("stops_itself") for _ in range(3)] == ["resumed"] * 3
    assert driver.result("pid") == child


def test_a_function_that_makes_its_handler_a_tracer_has_crashed(opened: Callable[..., Driver]):
    driver = opened()
    assert driver.failure("has_its_handler_trace_it") == STOOD_STILL
    assert driver.result("echo", {"a": 1}) == {"a": 1}


def test_a_process_that_was_suspended_while_it_ran_nothing_runs_what_it_is_handed(opened: Callable[..., Driver]):
    driver = opened()
    os.kill(driver.result("pid"), signal.SIGSTOP)
    assert driver.result("echo", {"a": 1}) == {"a": 1}


def test_a_debugger_may_hold_a_process_for_as_long_as_it_likes(opened: Callable[..., Driver], tmp_path: Path):
    driver, done = opened(), tmp_path / "done"
    child = driver.result("pid")
    hold = driver.start("waits", {"path": str(done)})
    driver.started(hold)
    with subprocess.Popen(
        [sys.executable, "-c", TRACES, str(child)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as debugger:
        assert debugger.stdout
        if debugger.stdout.readline() != "attached\n":
            pytest.skip("no process may trace another one here")
        done.touch()
        for _ in range(3 * MAX_SUSPENDED_LOOKS):
            driver.received += driver.executor.events(LOOK_SECONDS)
        assert Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "t"
        assert not driver.of(hold, Failed, Succeeded)
    assert driver.outcome(hold) == Succeeded(hold, '"waited"')
    assert driver.result("pid") == child


def test_a_process_is_suspended_after_a_stop_and_not_after_its_end():
    with subprocess.Popen(["sleep", "60"]) as process:
        assert not is_suspended(process.pid)
        process.send_signal(signal.SIGSTOP)
        until(lambda: is_suspended(process.pid))
        process.kill()
    assert not is_suspended(process.pid)


@pytest.mark.parametrize(
    ("how", "end"),
    [
        ("os._exit(4)", "ended with exit code 4"),
        ("os.kill(os.getpid(), 11)", "was killed by SIGSEGV"),
        ("time.sleep(60)", "was killed by SIGKILL"),
    ],
)
def test_a_run_before_which_its_process_always_ends_or_hangs_has_crashed(
    opened: Callable[..., Driver], tmp_path: Path, how: str, end: str
):
    file, deadly = tmp_path / "functions.py", tmp_path / "deadly"
    file.write_text(DIES_IN_PREPARATION.format(deadly=str(deadly), how=how))
    driver = opened(str(file))
    driver.run("ends")  # The next process is not asked to describe the functions.
    deadly.touch()
    message = f"3 processes ended before they began to run it: the last one {end}"
    assert driver.failure("takes", {"n": 1}) == Failure("Crashed", message)
    assert driver.result("echo") == "echo"
    deadly.unlink()
    assert driver.result("takes", {"n": 1}) == 1
