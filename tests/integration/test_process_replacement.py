"""Replacement of a child: announced to the author, prepared while the old one runs, and in order."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from adapters.executors.process.child.main import RARE_SECONDS
from adapters.executors.process.pool.child_limits import Limits
from adapters.executors.process.pool.executor import ProcessExecutor
from application.ports.executor import Failed, Succeeded
from tests.concurrency import until
from tests.executor_driver import Driver, processes
from tests.process_table import children_of, linux_only

IMPORT_SECONDS = 1.5
FUNCTIONS = """
import atexit, ctypes, os, pathlib, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from flask_tasks import task

FILE = pathlib.Path(__file__)
time.sleep(SECONDS)
POOLS = []


@atexit.register
def at_the_end():
    if FILE.with_name("hangs").exists():
        time.sleep(600)
    print("printed at the end")
    with FILE.with_name("ended").open("a") as file:
        file.write(f"{os.getpid()}\\n")


@task
def pools() -> int:
    pool = ThreadPoolExecutor(2, "mapper")
    POOLS.append(pool)
    return list(pool.map(int, [os.getpid()]))[0]


@task
def pools_and_drops() -> int:
    return ThreadPoolExecutor(2).submit(os.getpid).result()


@task
def pools_with_care() -> int:
    with ThreadPoolExecutor(2) as pool:
        return pool.submit(os.getpid).result()


@task
def prints_and_leaves(what: str) -> int:
    print(what, end="")
    threading.Thread(target=time.sleep, args=(600,), name="watcher\\nforged", daemon=True).start()
    return os.getpid()


@task
def starts_a_timer() -> int:
    threading.Timer(600, print).start()
    return os.getpid()


@task
def leaves_a_program() -> int:
    os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "600")
    time.sleep(0.2)
    return os.getpid()


@task
def leaves_a_process_of_multiprocessing() -> int:
    import multiprocessing
    multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,)).start()
    return os.getpid()


@task
def is_nice() -> int:
    os.nice(1)
    return os.getpid()


@task
def rests(seconds: float, leave: bool = False) -> int:
    if leave:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    time.sleep(seconds)
    return os.getpid()


@task
def monitors() -> int:
    import tqdm
    for _ in tqdm.tqdm(range(3)):
        pass
    return os.getpid()


def deep_in_c() -> None:
    ctypes.string_at(0)


@task
def crashes() -> None:
    deep_in_c()


@task
def leads_stacks_elsewhere() -> int:
    import faulthandler
    faulthandler.enable(open(os.devnull, "w"))
    return os.getpid()


@task
def pid() -> int:
    return os.getpid()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


Open = Callable[..., Driver]


@pytest.fixture
def open_with(folder: Path) -> Iterator[Open]:
    """Opens an executor with functions whose import takes so many seconds."""
    file = folder / "functions.py"
    with processes(str(file)) as open:

        def open_it(seconds: float = 0, **options: object) -> Driver:
            file.write_text(FUNCTIONS.replace("SECONDS", str(seconds)))
            return open(**options)

        yield open_it


def ended(folder: Path) -> Sequence[int]:
    """The processes whose exit functions were called."""
    path = folder / "ended"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


LEFT = {
    "pools": ("mapper_0 (Thread)", "use `with ThreadPoolExecutor() as pool:`"),
    "starts_a_timer": ("(Timer)", "call its `cancel()`"),
    "leaves_a_program": ("(sleep)", "wait for them"),
    "is_nice": ("niceness", "it changed"),
}


@linux_only
@pytest.mark.parametrize("type", LEFT)
def test_a_replacement_is_announced_with_its_reason_and_its_cure(
    open_with: Open, caplog: pytest.LogCaptureFixture, type: str
) -> None:
    driver = open_with()
    first, second = driver.run(type), driver.run(type)
    assert isinstance(first, Succeeded)
    for word in LEFT[type]:
        assert word in first.log
    (warning,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert warning.startswith(f"a run of {type} has cost its process")
    assert first.log.rstrip().endswith(warning.partition(": ")[2])
    assert isinstance(second, Succeeded)
    assert second.log == "", "it is said once a type"
    assert first.result != second.result


def test_a_monitor_of_tqdm_is_named_with_its_cure(open_with: Open, folder: Path) -> None:
    (folder / "tqdm").mkdir()
    (folder / "tqdm/__init__.py").write_text(
        "import threading, time\n"
        "class TMonitor(threading.Thread):\n"
        "    def run(self): time.sleep(600)\n"
        "def tqdm(items):\n"
        "    TMonitor(daemon=True).start()\n"
        "    return items\n"
    )
    outcome = open_with().run("monitors")
    assert "(TMonitor)" in outcome.log
    assert "`tqdm.monitor_interval = 0`" in outcome.log


def test_the_announcement_stands_behind_the_output_and_cannot_be_forged(
    open_with: Open, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = open_with().run("prints_and_leaves", {"what": "printed"})
    first, second = outcome.log.splitlines()
    assert first == "printed"
    assert r"watcher\nforged" in second
    assert all("\n" not in each.getMessage() for each in caplog.records)


@pytest.mark.parametrize("type", ["pools_and_drops", "pools_with_care"])
def test_threads_that_end_with_their_run_cost_nothing(open_with: Open, type: str) -> None:
    driver = open_with()
    assert [driver.run(type).log for _ in range(3)] == [""] * 3
    driver.all_free()
    assert driver.result(type) == driver.result("pid")


def test_a_program_that_the_module_has_started_costs_nothing(open_with: Open, folder: Path) -> None:
    driver = open_with()
    (folder / "served.py").write_text(
        "import os\nfrom flask_tasks import task\n"
        "os.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', '600')\n"
        "@task\ndef which(): return os.getpid()\n"
    )
    with processes(str(folder / "served.py")) as open:
        driver = open()
        assert driver.result("which") == driver.result("which")


def test_the_successor_gets_ready_while_a_run_goes_on_that_will_cost_its_process(open_with: Open) -> None:
    driver = open_with(IMPORT_SECONDS)
    long = {"seconds": 2 * IMPORT_SECONDS, "leave": True}
    driver.run("rests", long)
    driver.all_free()
    before = driver.result("rests", long)
    begin = time.monotonic()
    assert driver.result("pid") != before
    assert time.monotonic() - begin < IMPORT_SECONDS / 2


def test_the_successor_gets_ready_before_the_last_of_so_many_runs_has_ended(open_with: Open) -> None:
    driver = open_with(IMPORT_SECONDS, limits=Limits(runs=2))
    before = driver.result("pid")
    driver.run("rests", {"seconds": 2 * IMPORT_SECONDS})
    begin = time.monotonic()
    assert driver.result("pid") != before
    assert time.monotonic() - begin < IMPORT_SECONDS / 2


@linux_only
def test_a_successor_that_is_not_needed_is_ended_without_a_word(
    open_with: Open, caplog: pytest.LogCaptureFixture
) -> None:
    driver = open_with(IMPORT_SECONDS)
    driver.run("rests", {"seconds": 0.1, "leave": True})
    driver.all_free()
    alone = children_of(os.getpid())
    caplog.clear()
    hold = driver.start("rests", {"seconds": 0.5})
    driver.until(lambda: len(children_of(os.getpid())) == len(alone) + 1)
    driver.outcome(hold)
    driver.until(lambda: children_of(os.getpid()) == alone)
    assert caplog.messages == []
    assert driver.result("pid") == json.loads(driver.outcome(hold).result)  # type: ignore[union-attr]


@linux_only
def test_there_is_never_more_than_one_child_more_for_a_slot(open_with: Open) -> None:
    others = {*children_of(os.getpid())}
    driver = open_with(concurrency=2)
    most = 0
    holds = [driver.start("rests", {"seconds": 0.05, "leave": True}) for _ in range(12)]
    while not all(driver.of(hold, Succeeded) for hold in holds):
        most = max(most, len({*children_of(os.getpid())} - others))
        driver.received += driver.executor.events(0.01)
    assert most <= 4


# Exit functions


def test_exit_functions_are_called_when_a_child_is_replaced(open_with: Open, folder: Path) -> None:
    driver = open_with()
    child = driver.result("is_nice")
    driver.until(lambda: child in ended(folder))


def test_exit_functions_are_called_after_the_last_of_so_many_runs(open_with: Open, folder: Path) -> None:
    driver = open_with(limits=Limits(runs=1))
    first = driver.result("pid")
    driver.result("pid")
    driver.until(lambda: first in ended(folder))


def opened_alone(folder: Path, children: int = 1) -> ProcessExecutor:
    """An executor that the test closes itself, with functions that it has imported."""
    file = folder / "functions.py"
    file.write_text(FUNCTIONS.replace("SECONDS", "0"))
    executor = ProcessExecutor([str(file)], children)
    Driver(executor).open()
    return executor


def test_exit_functions_are_called_when_the_executor_is_closed_with_time(folder: Path) -> None:
    opened_alone(folder, children=2).close(lambda: 10)
    assert len(ended(folder)) == 2


def test_exit_functions_are_not_called_without_time(folder: Path) -> None:
    opened_alone(folder).close()
    assert ended(folder) == []


def test_exit_functions_that_hang_are_ended_with_the_grace(folder: Path) -> None:
    executor = opened_alone(folder)
    (folder / "hangs").touch()
    begin = time.monotonic()
    executor.close(lambda: max(0.0, begin + 0.5 - time.monotonic()))
    assert 0.5 <= time.monotonic() - begin < 3


def test_exit_functions_that_hang_hold_up_no_run(open_with: Open, folder: Path) -> None:
    driver = open_with()
    (folder / "hangs").touch()
    begin = time.monotonic()
    assert len({driver.result("is_nice") for _ in range(4)}) == 4
    assert time.monotonic() - begin < 15


@linux_only
def test_exit_functions_that_hang_after_a_run_are_ended_after_their_time(open_with: Open, folder: Path) -> None:
    driver = open_with(limits=Limits(exit_seconds=0.3))
    (folder / "hangs").touch()
    child = driver.result("is_nice")
    driver.until(lambda: not Path(f"/proc/{child}").exists())


@linux_only
def test_a_process_of_multiprocessing_that_was_left_does_not_hold_up_the_end(open_with: Open, folder: Path) -> None:
    driver = open_with()
    child = driver.result("leaves_a_process_of_multiprocessing")
    until(lambda: child in ended(folder))


# Crashes in C


def test_a_crash_in_c_leaves_the_stack_of_python_in_the_log(open_with: Open) -> None:
    outcome = open_with().run("crashes")
    assert isinstance(outcome, Failed)
    assert outcome.failure.message == "the process that ran it was killed by SIGSEGV"
    assert "Fatal Python error: Segmentation fault" in outcome.log
    assert "in deep_in_c" in outcome.log


def test_a_function_that_leads_the_stacks_elsewhere_does_so_for_its_own_run_alone(open_with: Open) -> None:
    driver = open_with()
    child = driver.result("leads_stacks_elsewhere")
    time.sleep(2 * RARE_SECONDS)
    assert driver.result("pid") == child
    assert "in deep_in_c" in driver.run("crashes").log
