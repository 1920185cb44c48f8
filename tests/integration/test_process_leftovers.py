"""Programs, threads and forked copies that a function leaves running are ended, and report nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from application.ports.executor import Failed, Progressed
from domain.progress import Progress
from tests.concurrency import until
from tests.executor_driver import TIMEOUT, Driver
from tests.process_table import is_alive, linux_only


@linux_only
@pytest.mark.parametrize("options", [{}, {"session": True}, {"session": True, "bare": True}])
def test_a_program_that_was_left_running_is_ended_with_its_run(driver: Driver, options: dict[str, bool]) -> None:
    program = driver.result("spawns", {"seconds": 600, **options})
    until(lambda: not is_alive(program))


@linux_only
def test_a_daemon_that_was_left_running_is_ended_with_its_run(driver: Driver) -> None:
    program = driver.result("daemonizes")
    until(lambda: not is_alive(program))


@linux_only
def test_a_program_is_ended_with_the_run_that_is_ended(driver: Driver, tmp_path: Path) -> None:
    hold = driver.start("spawns_and_waits", {"path": str(tmp_path / "pid")})
    driver.until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    program = int((tmp_path / "pid").read_text())
    assert is_alive(program)
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT)
    until(lambda: not is_alive(program))


@linux_only
def test_a_program_is_ended_with_the_process_that_crashed(driver: Driver, tmp_path: Path) -> None:
    driver.failure("spawns_and_crashes", {"path": str(tmp_path / "pid")})
    program = int((tmp_path / "pid").read_text())
    until(lambda: not is_alive(program))


@linux_only
def test_a_daemon_without_an_environment_is_ended_with_the_process_that_crashed(driver: Driver, tmp_path: Path) -> None:
    driver.failure("daemonizes_and_crashes", {"path": str(tmp_path / "pid")})
    program = int((tmp_path / "pid").read_text())
    until(lambda: not is_alive(program))


def test_a_program_that_has_ended_is_no_leftover(opened: Callable[..., Driver]) -> None:
    driver = opened()
    child = driver.result("pid")
    driver.run("spawns_and_ends")
    driver.all_free()
    assert driver.result("pid") == child


@pytest.mark.parametrize("daemon", [False, True])
def test_a_thread_that_was_left_running_costs_the_process(opened: Callable[..., Driver], daemon: bool) -> None:
    driver = opened()
    child = driver.result("threads", {"daemon": daemon})
    assert driver.result("pid") != child


def test_threads_that_were_there_before_may_stay(opened: Callable[..., Driver], tmp_path: Path) -> None:
    (tmp_path / "with_a_thread.py").write_text(
        "import os, threading, time\n"
        "from flask_tasks import task\n"
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        "@task\ndef which(): return os.getpid()\n"
    )
    driver = opened(str(tmp_path / "with_a_thread.py"))
    assert driver.result("which") == driver.result("which")


@pytest.mark.parametrize("how", ["forks", "forks_in_c"])
def test_a_function_that_returns_twice_has_the_outcome_of_the_first(driver: Driver, how: str) -> None:
    for _ in range(5):
        assert driver.result(how) == "parent"
        driver.all_free()
    assert [driver.result("echo", {"n": n}) for n in range(20)] == [{"n": n} for n in range(20)]


def test_a_forked_copy_of_the_process_reports_nothing(driver: Driver) -> None:
    hold = driver.start("forks_and_reports")
    driver.outcome(hold)
    assert driver.of(hold, Progressed) == [Progressed(hold, Progress(0.1, "from the original"))]
