"""The end of a run that is timed out or cancelled, and of a whole executor."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.executor import ProcessExecutor
from application.ports.executor import Failed, Progressed, Started, Succeeded
from tests.concurrency import until
from tests.executor_driver import TIMEOUT, USER_FUNCTIONS, Driver
from tests.process_table import children_of, is_alive, linux_only


def test_a_child_that_ignores_every_signal_is_ended_all_the_same(driver: Driver) -> None:
    hold = driver.start("ignores_signals")
    driver.started(hold)
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT)


def test_a_function_that_is_told_and_does_not_care_is_ended_after_the_grace(driver: Driver) -> None:
    hold = driver.start("ignores")
    driver.until(lambda: driver.of(hold, Progressed))
    start = time.monotonic()
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT)
    assert 0.4 < time.monotonic() - start < 5


def test_a_function_that_stops_in_the_grace_keeps_its_process(opened: Callable[..., Driver], tmp_path: Path) -> None:
    driver = opened()
    child = driver.result("pid")
    hold = driver.start("heeds", {"path": str(tmp_path / "clean")})
    driver.until(lambda: driver.of(hold, Progressed))
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT)
    assert (tmp_path / "clean").read_text() == "cleaned up"
    assert driver.result("pid") == child
    assert driver.result("progresses")["cancelled"] is False, "the next run is wanted"


@pytest.mark.usefixtures("unhurried")
def test_a_run_that_has_not_begun_can_be_ended_alone(opened: Callable[..., Driver], tmp_path: Path) -> None:
    done = tmp_path / "done"
    done.touch()
    driver = opened()
    driver.run("waits", {"path": str(done)})
    done.unlink()
    first, second, third = (driver.start("waits", {"path": str(done)}) for _ in range(3))
    driver.started(first)
    driver.executor.end(second, TIMEOUT)
    assert driver.outcome(second) == Failed(second, TIMEOUT)
    done.touch()
    assert driver.outcome(first) == Succeeded(first, '"waited"')
    assert driver.outcome(third) == Succeeded(third, '"waited"')
    assert not driver.of(second, Started)


@linux_only
@pytest.mark.usefixtures("unhurried", "unwatched")
def test_ending_a_run_that_a_function_has_read_from_the_socket_leaves_the_one_before_it(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    done = tmp_path / "done"
    done.touch()
    driver = opened(USER_FUNCTIONS, "tests/hostile_functions.py")
    for type, args in (("reads_from_everything", {}), ("waits", {"path": str(done)}), ("echo", {})):
        driver.run(type, args)
    done.unlink()
    first, second = driver.start("reads_from_everything"), driver.start("waits", {"path": str(done)})
    third = driver.start("echo")
    driver.outcome(first)
    driver.executor.end(third, TIMEOUT)
    assert driver.outcome(third) == Failed(third, TIMEOUT)
    done.touch()
    assert isinstance(driver.outcome(second), Succeeded)


@linux_only
def test_children_die_with_their_supervisor(tmp_path: Path) -> None:
    code = (
        "from adapters.executors.process.pool.executor import ProcessExecutor\n"
        "from tests.executor_driver import Driver\n"
        f"driver = Driver(ProcessExecutor(['{USER_FUNCTIONS}'], 2)).open()\n"
        "holds = [driver.start('waits', {'path': '/nowhere', 'started': '%s/%d' % (PATH, n)}) for n in (1, 2)]\n"
        "[driver.started(hold) for hold in holds]\n"
        "import sys; sys.stdout.write('started'); sys.stdout.flush()\n"
        "driver.until(lambda: False)\n"
    ).replace("PATH", repr(str(tmp_path)))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        supervisor.stdout.read(7)
        children = children_of(supervisor.pid)
        assert len(children) == 2
        supervisor.kill()
        until(lambda: not any(map(is_alive, children)))


def test_waking_a_closed_executor_is_no_error() -> None:
    executor = ProcessExecutor([USER_FUNCTIONS], 1)
    executor.close()
    executor.wake()


@linux_only
def test_a_closed_executor_leaves_nothing_open() -> None:
    before = children_of(os.getpid()), len(os.listdir("/proc/self/fd"))
    driver = Driver(ProcessExecutor([USER_FUNCTIONS], 2)).open()
    driver.failure("crashes", {"how": "exit"})
    driver.all_free()
    driver.executor.close()
    assert (children_of(os.getpid()), len(os.listdir("/proc/self/fd"))) == before


@linux_only
def test_a_child_that_cannot_be_started_leaves_nothing_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="No such file"):
        ChildProcess([USER_FUNCTIONS], tmp_path / "nowhere")
    assert len(os.listdir("/proc/self/fd")) == before
