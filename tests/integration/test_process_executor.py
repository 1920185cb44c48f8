"""The executor over processes, in what no thread can do: die, fork, leave programs running, close descriptors."""

import inspect
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.executors.process.ipc.memfd import anonymous_file
from adapters.executors.process.ipc.shared_page import SharedPage
from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.executor import ProcessExecutor
from adapters.executors.process.pool.progress_watch import ProgressWatch
from application.ports.executor import (
    Described,
    Failed,
    Interrupted,
    Progressed,
    Run,
    Span,
    Started,
    Succeeded,
    Unusable,
)
from domain.failure import Failure
from domain.ids import Claim, HandlerId, Hold, TaskId, TypeName
from domain.progress import Progress
from tests.executor_driver import MAX_WAIT_SECONDS, TIMEOUT, Driver, processes

FUNCTIONS = "tests/user_functions.py"
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")


@pytest.fixture(scope="module")
def shared() -> Iterator[Driver]:
    with processes(FUNCTIONS) as open:
        yield open(concurrency=2)


@pytest.fixture
def driver(shared: Driver) -> Driver:
    """An executor of two children that has run what other tests asked for."""
    shared.all_free()
    return shared


@pytest.fixture
def opened() -> Iterator[Callable[..., Driver]]:
    """Executors of a test's own."""
    with processes(FUNCTIONS) as open:
        yield open


def is_alive(process: int) -> bool:
    """Whether the process has not ended. A zombie has."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(happened: Callable[[], object]) -> None:
    end = time.monotonic() + MAX_WAIT_SECONDS
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.005)


# Death of a child


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
    eventually(lambda: not is_alive(child))
    assert driver.result("pid") != child, "the run that was handed to the dead one was given to its successor"
    assert not driver.of(driver.received[-1].hold, Failed)  # type: ignore[union-attr]


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


# Progress


def test_progress_that_is_reported_often_makes_few_events(driver: Driver, tmp_path: Path) -> None:
    hold = driver.start("chatters", {"times": 20_000, "path": str(tmp_path / "done")})
    last = Progressed(hold, Progress(1.0, "step 20000"))
    driver.until(lambda: last in driver.of(hold, Progressed))
    told = driver.of(hold, Progressed)
    assert len(told) < 100
    assert [each.progress.value for each in told] == sorted(each.progress.value for each in told)
    (tmp_path / "done").touch()
    driver.outcome(hold)


def test_the_last_progress_comes_before_the_outcome(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "done").touch()
    for _ in range(20):
        hold = driver.start("chatters", {"times": 100, "path": str(tmp_path / "done")})
        driver.outcome(hold)
        assert driver.of(hold)[-2] == Progressed(hold, Progress(1.0, "step 100"))


def test_progress_after_a_pause_is_reported(driver: Driver, tmp_path: Path) -> None:
    hold = driver.start("speaks", {"paths": [str(tmp_path / "one"), str(tmp_path / "two")]})

    def until_progress(value: float) -> None:
        driver.until(lambda: Progressed(hold, Progress(value)) in driver.of(hold))

    for number, name in enumerate(["one", "two"]):
        until_progress(number / 2)
        for _ in range(5):
            driver.received += driver.executor.events(0.1)  # long enough for the watch to have stopped
        (tmp_path / name).touch()
    driver.outcome(hold)
    assert len(driver.of(hold, Progressed)) == 3


def test_a_progress_watch_looks_once_however_often_a_note_is_announced() -> None:
    class CountingLoop(EventLoop):
        looks = 0

        def call_later(self, seconds: float, action: Callable[[], None]) -> None:
            self.looks += 1

    with closing(CountingLoop()) as loop, closing(SharedPage(anonymous_file())) as page:
        watch = ProgressWatch(page, loop, lambda _: None)
        for _ in range(3):
            watch.begin()
        assert loop.looks == 1


# Runs behind one another


def pair_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one run stand behind another one, however long the two take."""
    pool = "adapters.executors.process.pool"
    monkeypatch.setattr(f"{pool}.run_queue.QUEUE_SECONDS", 0)
    monkeypatch.setattr(f"{pool}.run_queue.SHORT_RUN_SECONDS", 1e6)
    monkeypatch.setattr(f"{pool}.stall_watch.STALL_SECONDS", 60)


@pytest.mark.usefixtures("unhurried")
def test_runs_behind_one_that_turns_out_long_go_to_another_child(opened: Callable[..., Driver], tmp_path: Path) -> None:
    done = tmp_path / "done"
    done.touch()
    driver = opened(concurrency=2)
    driver.run("pid")
    driver.run("waits", {"path": str(done)})
    done.unlink()
    holds = [driver.start("waits", {"path": str(done)}), *(driver.start("pid") for _ in range(40))]
    outcomes = driver.outcomes(holds[1:])
    assert {type(each) for each in outcomes} == {Succeeded}
    assert not driver.of(holds[0], Succeeded, Failed), "the long one still goes on"
    done.touch()
    assert driver.outcome(holds[0]) == Succeeded(holds[0], '"waited"')


def test_a_run_behind_another_one_is_begun_by_an_idle_child(
    opened: Callable[..., Driver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair_up(monkeypatch)
    long, short = (tmp_path / name for name in ("long", "short"))
    long.touch()
    driver = opened(concurrency=2)
    driver.run("waits", {"path": str(long)})
    long.unlink()
    first, *others = (driver.start("waits", {"path": str(path)}) for path in (long, short, short, short))
    assert driver.executor.free == 0, "one stands behind each"
    short.touch()
    driver.outcomes(others)
    assert not driver.of(first, Succeeded, Failed), "it still goes on, and no run waits for it"
    long.touch()
    driver.outcome(first)


def test_a_child_that_dies_with_one_run_behind_another_is_replaced(
    opened: Callable[..., Driver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair_up(monkeypatch)
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


@pytest.mark.usefixtures("unhurried")
def test_a_hundred_runs_of_a_dead_child_go_on_in_its_successor(
    opened: Callable[..., Driver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr("adapters.executors.process.pool.stall_watch.STALL_SECONDS", 60)
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


def test_one_short_run_may_stand_behind_another_and_none_behind_a_long_one(opened: Callable[..., Driver]) -> None:
    driver = opened(concurrency=1)
    driver.run("sleeps", {"seconds": 0.01})
    driver.start("sleeps", {"seconds": 0.2})
    assert driver.executor.free == 1
    for _ in range(4):
        driver.run("sleeps", {"seconds": 0.2})
    driver.start("sleeps", {"seconds": 0.01})
    assert driver.executor.free == 0


@pytest.mark.usefixtures("unhurried")
def test_runs_behind_a_long_one_can_be_recalled(opened: Callable[..., Driver], tmp_path: Path) -> None:
    done = tmp_path / "done"
    done.touch()
    driver = opened(concurrency=1)
    driver.run("waits", {"path": str(done)})
    done.unlink()
    first, *behind = (driver.start("waits", {"path": str(done)}) for _ in range(5))
    driver.started(first)
    recalled: list[Hold] = []

    def are_four_recalled() -> bool:
        recalled.extend(driver.executor.recall())
        return len(recalled) == 4

    driver.until(are_four_recalled)
    assert recalled == behind
    done.touch()
    assert driver.outcome(first) == Succeeded(first, '"waited"')
    assert driver.executor.recall() == []
    assert not any(driver.of(hold) for hold in behind)


def span_of(outcome: Succeeded | Failed) -> Span:
    assert outcome.span is not None
    return outcome.span


@pytest.mark.usefixtures("unhurried")
def test_more_runs_may_wait_than_the_socket_of_a_child_holds(opened: Callable[..., Driver], tmp_path: Path) -> None:
    done = tmp_path / "done"
    driver = opened()
    driver.run("echo")
    done.touch()
    driver.run("waits", {"path": str(done)})
    done.unlink()
    args = [("waits", {"path": str(done)}), *(("echo", {"n": n, "text": "x" * 30_000}) for n in range(50))]
    holds = [Hold(TaskId(-number), Claim(1), HandlerId("handler-1")) for number in range(1, len(args) + 1)]
    for hold, (type, sent) in zip(holds, args, strict=True):
        driver.executor.start(Run(hold, TypeName(type), 1, json.dumps(sent)))
    done.touch()
    outcomes = driver.outcomes(holds)
    assert {each.__class__ for each in outcomes} == {Succeeded}
    assert [each.hold for each in sorted(outcomes, key=span_of)] == holds


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


# Programs and threads that a function leaves running


@linux_only
@pytest.mark.parametrize("options", [{}, {"session": True}, {"session": True, "bare": True}])
def test_a_program_that_was_left_running_is_ended_with_its_run(driver: Driver, options: dict[str, bool]) -> None:
    program = driver.result("spawns", {"seconds": 600, **options})
    eventually(lambda: not is_alive(program))


@linux_only
def test_a_daemon_that_was_left_running_is_ended_with_its_run(driver: Driver) -> None:
    program = driver.result("daemonizes")
    eventually(lambda: not is_alive(program))


@linux_only
def test_a_program_is_ended_with_the_run_that_is_ended(driver: Driver, tmp_path: Path) -> None:
    hold = driver.start("spawns_and_waits", {"path": str(tmp_path / "pid")})
    driver.until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    program = int((tmp_path / "pid").read_text())
    assert is_alive(program)
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT)
    eventually(lambda: not is_alive(program))


@linux_only
def test_a_program_is_ended_with_the_process_that_crashed(driver: Driver, tmp_path: Path) -> None:
    driver.failure("spawns_and_crashes", {"path": str(tmp_path / "pid")})
    program = int((tmp_path / "pid").read_text())
    eventually(lambda: not is_alive(program))


@linux_only
def test_a_daemon_without_an_environment_is_ended_with_the_process_that_crashed(driver: Driver, tmp_path: Path) -> None:
    driver.failure("daemonizes_and_crashes", {"path": str(tmp_path / "pid")})
    program = int((tmp_path / "pid").read_text())
    eventually(lambda: not is_alive(program))


def test_an_alarm_that_was_set_does_not_go_off_in_the_next_run(opened: Callable[..., Driver]) -> None:
    driver = opened()
    driver.run("sets_an_alarm", {"seconds": 0.1})
    assert driver.result("sleeps", {"seconds": 0.3}) == "slept"


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


def test_the_environment_and_the_handlers_of_signals_are_as_they_were_for_the_next_run(
    opened: Callable[..., Driver],
) -> None:
    driver = opened()
    before = driver.result("surroundings")
    changed = driver.result("changes_its_surroundings")
    assert (changed["environment"], changed["handlers"]) != (before["environment"], before["handlers"])
    assert driver.result("surroundings") == before, "in the same process"


def test_a_folder_that_was_changed_is_changed_back(opened: Callable[..., Driver], tmp_path: Path) -> None:
    driver = opened()
    home = driver.result("folder")
    driver.run("moves", {"path": str(tmp_path)})
    assert driver.result("folder") == home


# Streams and descriptors


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


def test_a_process_whose_output_was_left_elsewhere_is_replaced(driver: Driver, tmp_path: Path) -> None:
    driver.run("redirects", {"path": str(tmp_path / "out")})
    driver.all_free()
    driver.outcomes([driver.start("prints", {"what": "x"}) for _ in range(10)])
    assert (tmp_path / "out").read_text() == ""


@linux_only
def test_a_function_that_writes_into_every_pipe_has_crashed(driver: Driver) -> None:
    failure = driver.failure("scribbles")
    message = "something else wrote into the pipe between its process and the handler"
    assert failure == Failure("Crashed", message, retriable=True)
    driver.all_free()
    assert driver.result("echo") == {}


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
def rests():
    time.sleep(0.05)
@task
def takes(n: Annotated[int, Deadly]):
    return n
"""


@pytest.mark.usefixtures("unhurried")
def test_a_child_that_dies_while_it_prepares_a_run_has_reported_the_one_before(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    file, deadly = tmp_path / "functions.py", tmp_path / "deadly"
    file.write_text(DEADLY.format(path=str(deadly)))
    driver = opened(str(file), concurrency=2)
    driver.outcomes([driver.start("rests"), driver.start("rests")])
    driver.all_free()
    deadly.touch()
    for _ in range(20):  # A busy machine may start the second pair so late that no child has a run before it.
        holds = [driver.start(type) for type in ("rests", "rests")]
        holds += [driver.start("takes", {"n": n}) for n in range(2)]
        assert {type(each) for each in driver.outcomes(holds)} == {Succeeded}
        if not deadly.exists():
            return
        driver.all_free()
    pytest.fail("no child prepared a run behind another one")


@linux_only
@pytest.mark.usefixtures("unhurried")
def test_a_run_whose_outcome_was_not_reported_has_crashed_and_the_next_one_was_interrupted(
    opened: Callable[..., Driver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.executors.process.pool.stall_watch.STALL_SECONDS", 60)
    mute, never = (str(tmp_path / name) for name in ("mute", "never"))
    driver = opened()
    driver.run("mutes_if_there", {"path": mute})
    Path(mute).touch()
    holds = [driver.start("mutes_if_there", {"path": mute}), driver.start("waits", {"path": never})]
    crashed = Failure("Crashed", "its process closed the pipe to the handler", retriable=True)
    assert driver.outcomes(holds) == [Failed(holds[0], crashed), Interrupted(holds[1])]
    assert driver.result("echo") == {}


@linux_only
def test_a_program_inherits_nothing_of_ours(driver: Driver) -> None:
    assert driver.result("inherits") == ["0", "1", "2", "3"]


def test_output_goes_to_the_handlers_own_output(tmp_path: Path) -> None:
    code = (
        "from adapters.executors.process.pool.executor import ProcessExecutor\n"
        "from tests.executor_driver import Driver\n"
        f"driver = Driver(ProcessExecutor(['{FUNCTIONS}'], 1)).open()\n"
        "driver.run('prints', {'what': 'shown'})\n"
        "driver.executor.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "shown\n")


# Forked copies


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


# Environment


def test_a_library_takes_one_thread_unless_the_environment_says_otherwise(
    opened: Callable[..., Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    driver = opened()
    assert driver.result("environment", {"name": "OMP_NUM_THREADS"}) == "1"
    assert driver.result("environment", {"name": "MKL_NUM_THREADS"}) == "3"


# Functions that change, or cannot be imported


def test_functions_that_changed_are_described_again(opened: Callable[..., Driver], tmp_path: Path) -> None:
    file = tmp_path / "functions.py"
    file.write_text("import os\nfrom flask_tasks import task\n@task\ndef one(): os._exit(1)\n")
    driver = opened(str(file))
    file.write_text("from flask_tasks import task\n@task\ndef one(): return 1\n@task\ndef two(): return 2\n")
    driver.run("one")
    assert driver.result("two") == 2
    described = [each for each in driver.received if isinstance(each, Described)]
    assert [[each.name for each in one.types] for one in described] == [["one"], ["one", "two"]]


def test_functions_that_are_broken_later_are_tried_again_until_they_are_good(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    file = tmp_path / "functions.py"
    good = "import os\nfrom flask_tasks import task\n@task\ndef one(code=0): return os._exit(code) if code else 1\n"
    file.write_text(good)
    driver = opened(str(file))
    file.write_text("nonsense, as it stands in the middle of a deployment")
    driver.run("one", {"code": 1})
    assert driver.executor.free == 0
    driver.executor.events(0.5)
    assert driver.executor.free == 0, "nothing is free while it cannot be imported"
    file.write_text(good)
    assert driver.result("one") == 1
    assert not [each for each in driver.received if isinstance(each, Unusable)]


def test_functions_that_cannot_be_described_at_first_are_asked_again(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    file = tmp_path / "functions.py"
    file.write_text("import os\nfrom flask_tasks import task\n@task\ndef one(): os._exit(1)\n")
    driver = opened(str(file))
    file.write_text(
        "import os, pathlib\n"
        "from flask_tasks import task\n"
        f"tried = pathlib.Path({str(tmp_path / 'tried')!r})\n"
        "class Odd:\n"
        "    def __get_pydantic_core_schema__(source, handler):\n"
        "        if not tried.exists():\n"
        "            tried.touch()\n"
        "            os._exit(1)\n"
        "        return handler(int)\n"
        "@task\n"
        "def two(a: Odd = 2): return a\n"
    )
    driver.run("one")
    assert driver.result("two") == 2
    *_, last = [each for each in driver.received if isinstance(each, Described)]
    assert [each.name for each in last.types] == ["two"]


def test_a_child_that_dies_again_and_again_is_replaced_ever_more_seldom(
    opened: Callable[..., Driver], tmp_path: Path
) -> None:
    file, log = tmp_path / "functions.py", tmp_path / "log"
    file.write_text(
        f"import time, os\nopen({str(log)!r}, 'a').write(f'{{time.monotonic()}} ')\n"
        "from flask_tasks import task\n@task\ndef one(): os._exit(1)\n"
    )
    driver = opened(str(file))
    file.write_text(file.read_text() + "os._exit(1)\n")
    driver.run("one")
    driver.until(lambda: len(log.read_text().split()) >= 5)
    times = [float(each) for each in log.read_text().split()]
    second, third, fourth = (after - before for before, after in pairwise(times[1:]))
    assert second > 0.1
    assert third > 0.2
    assert fourth > 0.4


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("import os; os._exit(4)", "ended with exit code 4"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
    ],
)
def test_an_import_that_ends_its_process_is_reported(
    opened: Callable[..., Driver], tmp_path: Path, code: str, how: str
) -> None:
    (tmp_path / "functions.py").write_text(code)
    (unusable,) = opened(str(tmp_path / "functions.py")).received
    assert unusable == Unusable(f"the tasks cannot be imported: the process that tried {how}")


def test_an_import_that_was_killed_is_tried_again(opened: Callable[..., Driver], tmp_path: Path) -> None:
    first = tmp_path / "first"
    (tmp_path / "functions.py").write_text(
        "import os, signal\n"
        "from flask_tasks import task\n"
        f"if not os.path.exists({str(first)!r}):\n"
        f"    open({str(first)!r}, 'w').close()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "@task\ndef f(): return 7\n"
    )
    driver = opened(str(tmp_path / "functions.py"))
    assert [type(each) for each in driver.received] == [Described]
    assert driver.result("f") == 7


@linux_only
@pytest.mark.usefixtures("unhurried")
def test_runs_that_a_function_has_read_from_the_socket_are_run_all_the_same(
    opened: Callable[..., Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.executors.process.pool.start_watch.LOST_RUN_SECONDS", 0.5)
    monkeypatch.setattr("adapters.executors.process.pool.stall_watch.STALL_SECONDS", 60)
    driver = opened(FUNCTIONS, "tests/hostile_functions.py")
    driver.run("reads_from_everything")
    driver.run("echo")
    holds = [driver.start("reads_from_everything")]
    holds += [driver.start("echo", {"n": n}) for n in range(5)]
    assert [type(each) for each in driver.outcomes(holds)] == [Succeeded] * 6


@linux_only
@pytest.mark.usefixtures("unhurried")
def test_ending_a_run_that_a_function_has_read_from_the_socket_leaves_the_one_before_it(
    opened: Callable[..., Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.executors.process.pool.stall_watch.STALL_SECONDS", 60)
    driver = opened(FUNCTIONS, "tests/hostile_functions.py")
    driver.run("reads_from_everything")
    driver.run("echo")
    first, second, third = (driver.start(type) for type in ("reads_from_everything", "echo", "echo"))
    driver.outcome(first)
    driver.executor.end(third, TIMEOUT)
    assert driver.outcome(third) == Failed(third, TIMEOUT)
    assert isinstance(driver.outcome(second), Succeeded)


# The end of the executor


@linux_only
def test_children_die_with_their_supervisor(tmp_path: Path) -> None:
    code = (
        "from adapters.executors.process.pool.executor import ProcessExecutor\n"
        "from tests.executor_driver import Driver\n"
        f"driver = Driver(ProcessExecutor(['{FUNCTIONS}'], 2)).open()\n"
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
        eventually(lambda: not any(map(is_alive, children)))


def test_waking_a_closed_executor_is_no_error() -> None:
    executor = ProcessExecutor([FUNCTIONS], 1)
    executor.close()
    executor.wake()


@linux_only
def test_a_closed_executor_leaves_nothing_open() -> None:
    before = children_of(os.getpid()), len(os.listdir("/proc/self/fd"))
    driver = Driver(ProcessExecutor([FUNCTIONS], 2)).open()
    driver.failure("crashes", {"how": "exit"})
    driver.all_free()
    driver.executor.close()
    assert (children_of(os.getpid()), len(os.listdir("/proc/self/fd"))) == before


@linux_only
def test_a_child_that_cannot_be_started_leaves_nothing_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="No such file"):
        ChildProcess([FUNCTIONS], tmp_path / "nowhere")
    assert len(os.listdir("/proc/self/fd")) == before


@linux_only
def test_an_idle_executor_takes_no_processor_time(driver: Driver) -> None:
    before = time.thread_time()
    driver.executor.events(0.3)
    assert time.thread_time() - before < 0.02


def children_of(process: int) -> list[int]:
    return [
        int(stat.parent.name)
        for stat in Path("/proc").glob("[0-9]*/stat")
        if json.loads(fields_of(stat)[1]) == process and fields_of(stat)[0] != "Z"
    ]


def fields_of(stat: Path) -> list[str]:
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:
        return ["Z", "0"]
