"""Logs: output is kept with its run, from Python, C libraries and programs alike, up to a bound."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.executors.process.ipc.log import MAX_LOG_BYTES, Printed
from application.ports.executor import Failed, Progressed, Succeeded
from tests.concurrency import until
from tests.executor_driver import MAX_WAIT_SECONDS, TIMEOUT, Driver
from tests.process_table import linux_only

FUNCTIONS = "tests/printing_functions.py"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def functions() -> str:
    return FUNCTIONS


@pytest.fixture(scope="module")
def concurrency() -> int:
    return 1


def memory(process: int) -> int:
    """Bytes that the log of that child takes."""
    return os.stat(f"/proc/{process}/fd/1").st_blocks * 512


# Output of Python, C libraries and programs


def test_printed_and_logged_lines_come_with_the_outcome_in_their_order(driver: Driver) -> None:
    outcome = driver.run("complains", {"what": "é"})
    assert isinstance(outcome, Failed)
    assert outcome.log == "out é\nerror é\nlog é\nout again é\n"
    assert driver.run("says", {"what": "hello"}).log == "hello\n"


def test_a_run_that_prints_nothing_has_no_log(driver: Driver) -> None:
    assert driver.run("says_nothing").log == ""


def test_the_output_of_c_libraries_is_in_the_log(
    opened: Callable[..., Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # it would take their buffer away
    driver = opened()
    assert driver.run("speaks_c", {"word": "one"}).log == "one line\none rest"
    assert driver.run("speaks_c", {"word": "other"}).log == "other line\nother rest"


def test_the_output_of_programs_is_in_the_log(driver: Driver) -> None:
    assert driver.run("starts", {"script": "echo out; echo error >&2"}).log == "out\nerror\n"


def test_a_program_that_writes_to_dev_stderr_begins_the_log_anew(driver: Driver) -> None:
    driver.run("says", {"what": "long " * 1000})
    assert driver.run("starts", {"script": "echo before; echo a > /dev/stderr; echo b"}).log == "a\nb\n"
    assert driver.run("says", {"what": "next"}).log == "next\n"
    driver.run("starts", {"script": ": > /dev/stderr"})
    assert driver.run("says", {"what": "and next"}).log == "and next\n"


def test_bytes_that_are_no_text_are_marked(driver: Driver) -> None:
    assert driver.run("writes", {"data": [0, 65, 255, 10]}).log == "\0A\ufffd\n"


def test_a_null_in_place_of_nan_is_mentioned_in_the_log(driver: Driver) -> None:
    assert (
        driver.run("returns_nan").log == "null stands for NaN, infinity or another missing value in the result at $.0\n"
    )


def test_threads_do_not_tear_each_others_lines(driver: Driver) -> None:
    lines = Counter(driver.run("speaks_in_threads", {"times": 200}).log.splitlines())
    assert lines == {f"line {n}": 4 for n in range(200)}


# The log of each run


def test_runs_that_follow_each_other_closely_have_each_their_own(driver: Driver) -> None:
    holds = [driver.start("says", {"what": f"run {n}", "end": ""}) for n in range(200)]
    assert [outcome.log for outcome in driver.outcomes(holds)] == [f"run {n}" for n in range(200)]


def test_output_of_the_import_belongs_to_no_run(opened: Callable[..., Driver]) -> None:
    assert opened().run("says", {"what": "first"}).log == "first\n"


def test_redirected_output_is_not_in_the_log(driver: Driver, tmp_path: Path) -> None:
    assert driver.run("redirects", {"path": str(tmp_path / "out")}).log == ""
    assert (tmp_path / "out").read_text() == "elsewhere\n"
    assert driver.run("says", {"what": "here"}).log == "here\n"


def test_streams_that_were_replaced_are_put_back(driver: Driver, tmp_path: Path) -> None:
    assert driver.run("replaces_its_streams", {"path": str(tmp_path / "out")}).log == "half"
    assert (tmp_path / "out").read_text() == "elsewhere\n"
    assert driver.run("says", {"what": "here"}).log == "here\n"


def test_streams_that_were_closed_are_opened_again(opened: Callable[..., Driver]) -> None:
    driver = opened()
    assert driver.run("closes_its_streams").log == "before\n"
    assert driver.run("says", {"what": "after"}).log == "after\n"


# Runs that are ended


def test_a_run_that_crashed_has_its_log(driver: Driver) -> None:
    driver.run("says", {"what": "of another"})
    assert driver.run("says_and_dies", {"what": "last words"}).log == "last words\n"


def test_a_run_that_was_ended_has_its_log(driver: Driver) -> None:
    driver.run("says", {"what": "of another"})
    hold = driver.start("says_and_goes_on", {"what": "still here"})
    driver.started(hold)
    until(lambda: not driver.executor.events(0.05))
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT, "still here\n")


def test_a_run_that_stopped_in_the_grace_has_its_whole_log(driver: Driver) -> None:
    hold = driver.start("says_and_heeds")
    driver.until(lambda: driver.of(hold, Progressed))
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT, "begun\nstopped\n")


# Long output


def test_of_a_long_output_the_end_is_kept_with_a_mark(driver: Driver) -> None:
    log = driver.run("floods", {"size": 3 * MIB}).log
    assert log.startswith("…xxx")
    assert log.endswith("x\nthe end\n")
    assert len(log) == 1 + MAX_LOG_BYTES


def test_an_output_that_just_fits_is_kept_whole(driver: Driver) -> None:
    assert driver.run("says", {"what": "x" * MAX_LOG_BYTES, "end": ""}).log == "x" * MAX_LOG_BYTES
    assert driver.run("says", {"what": "x" * (MAX_LOG_BYTES + 1), "end": ""}).log == "…" + "x" * MAX_LOG_BYTES


def test_a_character_is_not_cut_in_two() -> None:
    assert Printed(0, is_whole=False, tail="😀é".encode()[1:]).text() == "…é"
    assert Printed(0, is_whole=False, tail="é".encode()).text() == "…é"
    assert Printed(0, is_whole=False, tail=b"\x80\x80\x80\x80a").text() == "…\ufffd\ufffd\ufffd\ufffda"


@linux_only
@pytest.mark.parametrize("type", ["floods", "floods_by_a_program"])
def test_a_flood_takes_little_memory_while_it_goes_on_and_afterwards(
    opened: Callable[..., Driver], tmp_path: Path, type: str
) -> None:
    driver = opened()
    process = driver.result("says_nothing")
    hold = driver.start(type, {"size": 300 * MIB, "path": str(tmp_path / "done")})
    most = 0
    end = time.monotonic() + MAX_WAIT_SECONDS
    while os.stat(f"/proc/{process}/fd/1").st_size < 299 * MIB:
        assert time.monotonic() < end
        driver.received += driver.executor.events(0.01)
        most = max(most, memory(process))
    assert most < 150 * MIB, "it is looked at in time, on a busy machine too"
    driver.until(lambda: driver.executor.events(0.01) or memory(process) <= 2 * MIB)
    (tmp_path / "done").touch()
    assert driver.outcome(hold).log.endswith("x\nthe end\n" if type == "floods" else "xthe end\n")
    assert memory(process) <= 2 * MIB


@linux_only
def test_the_memory_of_what_many_runs_print_is_given_back(opened: Callable[..., Driver]) -> None:
    driver = opened()
    process = driver.result("says_nothing")
    for _ in range(100):
        driver.run("says", {"what": "x" * 100_000})
    assert memory(process) < 3 * MIB


def test_of_a_log_file_that_was_made_large_only_the_end_is_read(driver: Driver) -> None:
    assert driver.run("grows", {"size": 2**40}).log == "…" + "\0" * MAX_LOG_BYTES
    assert driver.run("says", {"what": "after"}).log == "after\n"


# The handler's own output

SCRIPT = f"""
import sys
from adapters.executors.process.pool.executor import ProcessExecutor
from tests.executor_driver import Driver
driver = Driver(ProcessExecutor(['{FUNCTIONS}'], 1)).open()
for type, args in eval(sys.argv[1]):
    sys.stdout.write(str(len(driver.run(type, args).log)) + ' ')
driver.executor.close()
"""


def started(*runs: tuple[str, object]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SCRIPT, repr(runs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_python_shows_what_it_prints_to_the_handlers_output_too(tmp_path: Path) -> None:
    runs = (("says", {"what": "seen"}), ("redirects", {"path": str(tmp_path / "out")}), ("says", {"what": "again"}))
    logs, shown = started(*runs).communicate(timeout=MAX_WAIT_SECONDS)
    assert logs == "5 0 6 "
    assert sorted(shown.splitlines()) == sorted(["imported", "imported, too", "seen", "again"])


def test_a_reader_of_the_handlers_output_that_does_not_read_delays_no_run() -> None:
    with started(("floods", {"size": MIB}), ("says", {"what": "x"})) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read() == f"{MAX_LOG_BYTES + 1} 2 "
        assert process.wait(MAX_WAIT_SECONDS) == 0
        process.stderr.read()


def test_a_reader_of_the_handlers_output_that_has_gone_fails_no_run() -> None:
    with started(("floods", {"size": MIB}), ("says", {"what": "x"})) as process:
        assert process.stdout
        assert process.stderr
        assert [process.stderr.readline(), process.stderr.readline()].count("imported\n") == 1
        process.stderr.close()
        assert process.stdout.read() == f"{MAX_LOG_BYTES + 1} 2 "
        assert process.wait(MAX_WAIT_SECONDS) == 0


def test_a_result_and_its_log_come_together(driver: Driver) -> None:
    hold = driver.start("floods", {"size": 1000})
    outcome = driver.outcome(hold)
    assert isinstance(outcome, Succeeded)
    assert outcome.log == "x" * 999 + "\nthe end\n"
