"""Output of runs that go on: it is reported while they do, its end alone, and only where there is news."""

import time
from pathlib import Path

import pytest

from adapters.executors.process.ipc.log import MAX_LOG_BYTES, MAX_RUNNING_LOG_BYTES
from adapters.executors.process.pool.log_watch import CHECK_SECONDS, REPORT_SECONDS
from application.ports.executor import Logged, Started
from domain.ids import Hold
from tests.executor_driver import TIMEOUT, Driver

FUNCTIONS = "tests/printing_functions.py"


@pytest.fixture(scope="module")
def functions() -> str:
    return FUNCTIONS


@pytest.fixture(scope="module")
def concurrency() -> int:
    return 1


class Steps:
    """A run that prints one part after the other, each when the test lets it go on."""

    def __init__(self, driver: Driver, folder: Path, *parts: bytes) -> None:
        self.driver, self._folder, self._done = driver, folder, 0
        self.hold = driver.start("writes_in_steps", {"parts": [[*part] for part in parts], "folder": str(folder)})

    def go_on(self) -> None:
        (self._folder / str(self._done)).touch()
        self._done += 1

    def log(self) -> str:
        """The next log that is reported."""
        return reported(self.driver, self.hold, len(self.driver.of(self.hold, Logged)) + 1)[-1]


def reported(driver: Driver, hold: Hold, number: int = 1) -> list[str]:
    """Wait for so many reports of the output of that run."""
    driver.until(lambda: len(driver.of(hold, Logged)) >= number)
    return [each.log for each in driver.of(hold, Logged)]


def wait_for_a_report(driver: Driver) -> None:
    """Wait for as long as a report would take."""
    end = time.monotonic() + REPORT_SECONDS + 2 * CHECK_SECONDS
    while (left := end - time.monotonic()) > 0:
        driver.received += driver.executor.events(left)


def test_output_is_reported_while_the_run_goes_on_and_again_when_there_is_more(driver: Driver, tmp_path: Path) -> None:
    run = Steps(driver, tmp_path, b"one\n", b"two\n")
    assert run.log() == "one\n"
    run.go_on()
    assert run.log() == "one\ntwo\n"
    run.go_on()
    assert driver.outcome(run.hold).log == "one\ntwo\n"


def test_output_is_reported_about_half_a_second_after_the_start(driver: Driver) -> None:
    hold = driver.start("says_and_goes_on", {"what": "x"})
    began = driver.started(hold).at
    reported(driver, hold)
    assert REPORT_SECONDS - CHECK_SECONDS <= time.monotonic() - began < 1
    driver.executor.end(hold, TIMEOUT)
    driver.outcome(hold)


def test_output_that_does_not_grow_is_reported_once(driver: Driver, tmp_path: Path) -> None:
    run = Steps(driver, tmp_path, b"one\n")
    run.log()
    wait_for_a_report(driver)
    assert len(driver.of(run.hold, Logged)) == 1
    run.go_on()
    driver.outcome(run.hold)


def test_a_run_that_ends_soon_is_reported_by_its_end_alone(driver: Driver) -> None:
    hold = driver.start("says", {"what": "x"})
    driver.outcome(hold)
    wait_for_a_report(driver)
    assert driver.of(hold, Logged) == []


def test_a_run_that_prints_nothing_is_not_reported_whatever_was_printed_before(driver: Driver, tmp_path: Path) -> None:
    driver.run("says", {"what": "of another"})
    run = Steps(driver, tmp_path, b"")
    driver.started(run.hold)
    wait_for_a_report(driver)
    assert [type(each) for each in driver.of(run.hold)] == [Started]
    run.go_on()
    driver.outcome(run.hold)


def test_only_its_own_output_is_reported_of_a_run(driver: Driver, tmp_path: Path) -> None:
    driver.run("says", {"what": "of another"})
    run = Steps(driver, tmp_path, b"its own\n")
    assert run.log() == "its own\n"
    run.go_on()
    driver.outcome(run.hold)


def test_of_a_flood_the_end_is_reported_with_a_mark_and_more_of_it_is_kept(driver: Driver, tmp_path: Path) -> None:
    path = tmp_path / "done"
    hold = driver.start("floods", {"size": 3_000_000, "path": str(path)})
    while not (log := reported(driver, hold, len(driver.of(hold, Logged)) + 1)[-1]).endswith("x\nthe end\n"):
        assert log.startswith("…")
    assert {len(each.log) for each in driver.of(hold, Logged)} == {1 + MAX_RUNNING_LOG_BYTES}
    path.touch()
    assert len(driver.outcome(hold).log) == 1 + MAX_LOG_BYTES


def test_half_a_character_is_left_for_the_next_report(driver: Driver, tmp_path: Path) -> None:
    character = "😀".encode()
    run = Steps(driver, tmp_path, b"one " + character[:2], character[2:] + b"\n", character[:3])
    assert run.log() == "one "
    run.go_on()
    assert run.log() == "one 😀\n"
    run.go_on()
    assert run.log() == "one 😀\n"
    run.go_on()
    assert driver.outcome(run.hold).log == "one 😀\n\ufffd"


def test_bytes_that_are_no_text_are_marked(driver: Driver, tmp_path: Path) -> None:
    run = Steps(driver, tmp_path, bytes([0, 65, 255, 10]))
    assert run.log() == "\0A\ufffd\n"
    run.go_on()
    driver.outcome(run.hold)


def test_output_after_a_program_has_emptied_the_log_is_reported_alone(driver: Driver, tmp_path: Path) -> None:
    driver.run("says", {"what": "of another"})
    script = f"echo before; until [ -e {tmp_path}/go ]; do sleep 0.01; done; echo after > /dev/stderr"
    hold = driver.start("starts_and_waits", {"script": script, "path": str(tmp_path / "done")})
    assert reported(driver, hold) == ["before\n"]
    (tmp_path / "go").touch()
    assert reported(driver, hold, 2)[-1] == "after\n"
    (tmp_path / "done").touch()
    assert driver.outcome(hold).log == "after\n"
