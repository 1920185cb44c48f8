"""Streams and descriptors: a function may close or fill what it finds, and inherits nothing of ours."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.failure import Failure
from tests.executor_driver import USER_FUNCTIONS, Driver
from tests.process_table import linux_only


@pytest.mark.parametrize(("first", "last"), [(0, 3), (3, 1024), (0, 4096)])
def test_a_function_may_close_what_it_finds_open(driver: Driver, first: int, last: int) -> None:
    assert driver.result("closes", {"first": first, "last": last}) == "closed"
    driver.all_free()
    assert driver.result("prints", {"what": "to no reader"}) is None


def test_a_function_may_close_its_streams(opened: Callable[..., Driver]) -> None:
    driver = opened()
    assert driver.result("closes_its_streams") == "closed"
    assert driver.result("prints", {"what": "to a reader"}) is None


def test_a_function_may_close_all_that_it_may_have_open(opened: Callable[..., Driver]) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, limits[1]))
    try:
        assert opened().result("closes", {"first": 0, "last": 1024}) == "closed"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_function_that_closes_the_very_pipe_fails_clearly(driver: Driver) -> None:
    failure = driver.failure("closes", {"first": 0, "last": 2_000_000})
    assert failure.type == "Crashed"
    driver.all_free()
    assert driver.result("echo") == {}


@linux_only
def test_a_function_that_writes_into_every_pipe_has_crashed(driver: Driver) -> None:
    failure = driver.failure("scribbles")
    message = "something else wrote into the pipe between its process and the handler"
    assert failure == Failure("Crashed", message, retriable=True)
    driver.all_free()
    assert driver.result("echo") == {}


@linux_only
def test_a_program_inherits_nothing_of_ours(driver: Driver) -> None:
    assert driver.result("inherits") == ["0", "1", "2", "3"]


def test_output_goes_to_the_handlers_own_output(tmp_path: Path) -> None:
    code = (
        "from adapters.executors.process.pool.executor import ProcessExecutor\n"
        "from tests.executor_driver import Driver\n"
        f"driver = Driver(ProcessExecutor(['{USER_FUNCTIONS}'], 1)).open()\n"
        "driver.run('prints', {'what': 'shown'})\n"
        "driver.executor.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "shown\n")
