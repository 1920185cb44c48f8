"""Behaviour of every executor. Behaviour that only processes have is tested in a suite of its own."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from adapters.executors.process.pool.executor import ProcessExecutor
from adapters.executors.thread import ThreadExecutor
from application.ports.executor import Described, Executor, Failed, Progressed, Started, Succeeded, Unusable
from domain.failure import Failure
from domain.ids import Hold
from domain.limits import NO_LIMITS, Limits
from domain.options import Options
from domain.progress import Progress
from domain.schedule import Schedule
from domain.task_type import TaskType
from domain.traceparent import Traceparent
from tests.executor_driver import TIMEOUT, Driver

TRACE = Traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")

Make = Callable[..., Executor]
FUNCTIONS = "tests/user_functions.py"


@pytest.fixture(scope="module", params=[ProcessExecutor, ThreadExecutor], ids=["process", "thread"])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param


@pytest.fixture(scope="module")
def shared(make: Make) -> Iterator[Driver]:
    executor = make([FUNCTIONS], 2)
    yield Driver(executor).open()
    executor.close()


@pytest.fixture
def driver(shared: Driver) -> Driver:
    """An executor of two places, both free, that has run what other tests asked for."""
    shared.all_free()
    shared.received += shared.executor.events(0)
    return shared


@pytest.fixture
def opened(make: Make) -> Iterator[Callable[..., Driver]]:
    """Executors of files of a test's own."""
    executors = []

    def open(*tasks: str, concurrency: int = 1) -> Driver:
        executors.append(make(tasks, concurrency))
        return Driver(executors[-1]).open()

    yield open
    for executor in executors:
        executor.close()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], str]:
    """Files with the functions of a test."""

    def write(code: str, name: str = "functions.py") -> str:
        (tmp_path / name).write_text(code)
        return str(tmp_path / name)

    return write


@pytest.fixture
def never(tmp_path: Path) -> Iterator[str]:
    """A file that is not there as long as the test goes on; a thread that waits for it ends then."""
    yield str(tmp_path / "never")
    (tmp_path / "never").touch()


def types_of(driver: Driver) -> dict[str, TaskType]:
    (described,) = [each for each in driver.received if isinstance(each, Described)]
    return {each.name: each for each in described.types}


# Functions that can be run


def test_an_executor_first_describes_its_types(shared: Driver) -> None:
    assert isinstance(shared.received[0], Described)
    assert {"default", "echo", "renamed"} <= set(types_of(shared))


def test_no_run_can_start_before_the_types_are_described(make: Make) -> None:
    executor = make([FUNCTIONS], 2)
    assert executor.free == 0
    assert executor.concurrency == 2
    executor.close()


def test_a_type_has_the_options_of_its_function(shared: Driver) -> None:
    renamed = types_of(shared)["renamed"]
    assert renamed.options == Options(timeout=2.5, max_attempts=4, max_losses=0, priority=7)
    assert renamed.description == "All options.\n\nAnd a second paragraph."
    assert renamed.retries_timeout, "a TimeoutError is an OSError"
    assert not types_of(shared)["picky"].retries_timeout
    assert types_of(shared)["echo"].options == Options()


def test_a_type_has_the_limits_of_its_function(shared: Driver) -> None:
    assert types_of(shared)["renamed"].limits == Limits(at_once=3)
    assert types_of(shared)["picky"].limits == Limits(per_second=0.5, burst=2)
    assert types_of(shared)["echo"].limits == NO_LIMITS


def test_a_type_has_a_schema_of_its_arguments(shared: Driver) -> None:
    schema = json.loads(types_of(shared)["renamed"].schema)
    assert schema["properties"] == {
        "dt": {"exclusiveMinimum": 0, "type": "number"},
        "kind": {"enum": ["a", "b"], "type": "string", "default": "a"},
    }
    assert schema["required"] == ["dt"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "import numpyy\n",
            "{file} cannot be imported: ModuleNotFoundError: No module named 'numpyy' (line 1); if a package from PyPI "
            "has it, name that package in {folder}/requirements.txt, and start again",
        ),
        (
            "from flask_tasks import task\n@task\ndef f(*xs): ...\n",
            "f ({file}:2) cannot be a task: arguments have names, and none can fill *xs: take a list instead, as "
            "xs: list",
        ),
        ("x = 1\ny = x +\n", "{file} cannot be imported: SyntaxError: invalid syntax (line 2)"),
        ("\nraise SystemExit('no')", "{file} cannot be imported: SystemExit: no (line 2)"),
        ("x = 1\n", "{file} has no function marked with @task, and no ExecuteWhenRunningTask"),
        (
            "from flask_tasks import task\n@task\ndef f(a: object()): ...\n",
            "f ({file}:2) cannot be a task: no argument in JSON can become <object",
        ),
        (
            "from flask_tasks import task\n@task(lane='user')\ndef f(usr): ...\n",
            "f ({file}:2) cannot be a task: lane is 'user': it must be the name of an argument of the function",
        ),
        (
            "from flask_tasks import task\n@task\ndef f(): ...\n@task(name='f')\ndef g(): ...\n",
            "two functions serve f: {file}:2 and {file}:4",
        ),
        (
            "from flask_tasks import task\n@task(timeout=-1)\ndef f(): ...\n",
            "{file} cannot be imported: ValueError: timeout is -1: it must be a number of seconds, more than 0 and at "
            "most 315360000 (line 2)",
        ),
    ],
)
def test_unusable_functions_are_reported(
    opened: Callable[..., Driver], written: Callable[[str], str], code: str, reason: str
) -> None:
    file = written(code)
    (unusable,) = opened(file).received
    assert isinstance(unusable, Unusable)
    assert unusable.reason.startswith(reason.format(file=file, folder=Path(file).parent))


RECURS = """
from flask_tasks import Progress, task
@task(every="0  7 * * 1-5", timezone="Europe/Lisbon")
def f(progress: Progress, n: int = 5, *args, **others): return n
@task(every="*/5 * * * *")
async def g(): return "g"
@task(every="* * * * *")
def ExecuteWhenRunningTask(task_id, args): return args
"""


def test_a_type_has_the_schedule_of_its_function(opened: Callable[..., Driver], written: Callable[[str], str]) -> None:
    driver = opened(written(RECURS))
    assert {name: type.schedule for name, type in types_of(driver).items()} == {
        "f": Schedule(every="0 7 * * 1-5", timezone="Europe/Lisbon"),
        "g": Schedule(every="*/5 * * * *", timezone="UTC"),
        "default": Schedule(every="* * * * *", timezone="UTC"),
    }
    assert [driver.result("f"), driver.result("g"), driver.result("default")] == [5, "g", {}]


@pytest.mark.parametrize(
    ("options", "arguments", "reason"),
    [
        ("every='61 * * * *'", "", "every is '61 * * * *': bad minute"),
        ("every='0 0 31 4 *'", "", "every is '0 0 31 4 *': bad day-of-month"),
        ("every='0 0 */29 2 0#5'", "", "every is '0 0 */29 2 0#5': it never comes"),
        ("every='*/90 * * * *'", "", "every is '*/90 * * * *': the step of */90 is larger than its range of 60 values"),
        ("every='* * * * *', timezone='Lisbon'", "", "timezone is 'Lisbon': there is no such time zone"),
        ("every='* * * * *', timezone='Europe'", "", "timezone is 'Europe': there is no such time zone"),
        ("every='* * * * *'", "a, b=2", "a recurring function is called without arguments: $.a: it is required"),
        ("every='* * * * *'", "a: int, /", "a recurring function is called without arguments: $.a: Field required"),
    ],
)
def test_a_function_that_cannot_recur_is_reported(
    opened: Callable[..., Driver], written: Callable[[str], str], options: str, arguments: str, reason: str
) -> None:
    file = written(f"from flask_tasks import task\n@task({options})\ndef f({arguments}): ...\n")
    assert opened(file).received == [Unusable(f"f ({file}:2) cannot be a task: {reason}")]


def test_a_description_can_be_stored_whatever_it_says(
    opened: Callable[..., Driver], written: Callable[[str], str]
) -> None:
    driver = opened(written('from flask_tasks import task\n@task\ndef f(): "A \\0 and a \\ud800."\n'))
    assert types_of(driver)["f"].description == r"A  and a \ud800."


def test_a_missing_file_is_reported(opened: Callable[..., Driver]) -> None:
    assert opened("nowhere/tasks.py").received == [
        Unusable("nowhere/tasks.py cannot be imported: there is no such file")
    ]


def test_a_missing_module_is_reported(opened: Callable[..., Driver]) -> None:
    (unusable,) = opened("nowhere.tasks").received
    assert unusable == Unusable(
        "nowhere.tasks cannot be imported: ModuleNotFoundError: No module named 'nowhere'; if a package from PyPI has "
        "it, name that package in the requirements.txt of the tasks, and start again"
    )


def test_several_files_and_modules_serve_together(opened: Callable[..., Driver], written: Callable[..., str]) -> None:
    one = written("from flask_tasks import task\n@task\ndef one(): return 1\n", "first_of_two.py")
    two = written(
        "from first_of_two import one\ndef ExecuteWhenRunningTask(task_id, args): return 2\n", "second_of_two.py"
    )
    driver = opened(one, two, "tests.user_functions_of_a_module")
    assert set(types_of(driver)) == {"one", "default", "in_a_module"}
    assert driver.result("one") == 1
    assert driver.result("default") == 2
    assert driver.result("in_a_module") == 3


# A run


def test_a_run_starts_and_succeeds(driver: Driver) -> None:
    before = time.monotonic()
    hold = driver.start("echo", {"a": [1, "x"]})
    assert driver.outcome(hold) == Succeeded(hold, '{"a":[1,"x"]}')
    *started, ended = driver.of(hold)
    began, seconds = ended.span
    assert before <= began <= began + seconds <= time.monotonic()
    assert started in ([], [Started(hold, began)])


def test_the_start_of_a_run_that_goes_on_is_reported(driver: Driver, never: str) -> None:
    before = time.monotonic()
    hold = driver.start("waits", {"path": never})
    assert before <= driver.started(hold).at <= time.monotonic()


def test_a_run_has_its_own_output_as_its_log_if_any(driver: Driver) -> None:
    logs = [driver.run("prints", {"what": what}).log for what in ("one", "two")]
    assert logs in (["one\n", "two\n"], ["", ""])
    assert driver.run("echo").log == ""


def test_a_function_gets_its_arguments_as_they_were_submitted(driver: Driver) -> None:
    text = '{"b":1,"a":' + "9" * 4300 + ',"d":-0.0,"e":1e-320,"f":0.1,"s":"\\u0000é\U0001f600"}'
    outcome = driver.run("echo", text=text)
    assert isinstance(outcome, Succeeded)
    assert outcome.result == text.replace("1e-320", "1e-320")


def test_two_integers_are_added_exactly(driver: Driver) -> None:
    assert driver.result("adds", {"a": 10**4000, "b": 1}) == 10**4000 + 1
    assert driver.result("adds", {"a": 0.5, "b": 1}) == 1.5


def test_large_arguments_arrive(driver: Driver) -> None:
    assert driver.result("echo", {"a": "é" * 1_000_000}) == {"a": "é" * 1_000_000}


def test_arguments_have_the_types_of_their_annotations(driver: Driver) -> None:
    args = {"when": "2026-05-01T12:00:00Z", "bodies": [{"mass": 1.5}, {"mass": 2, "name": "x"}]}
    assert driver.result("typed", args) == {"year": 2026, "masses": [3.0, 4.0]}


def test_arguments_that_do_not_fit_fail_for_good(driver: Driver) -> None:
    failure = driver.failure("typed", {"when": "tomorrow", "bodies": [{"mass": "heavy"}], "more": 1})
    assert failure.type == "InvalidArguments"
    assert not failure.retriable
    assert "$.when: " in failure.message
    assert "$.bodies.0.mass: " in failure.message
    assert "$.more: " in failure.message
    assert "$.scale" not in failure.message
    assert failure.unfit, "it never began"


def test_the_hook_gets_the_id_and_all_arguments(driver: Driver) -> None:
    hold = driver.start("default", {"required_arg": "test", "more": [None]})
    assert json.loads(driver.outcome(hold).result) == {  # type: ignore[union-attr]
        "id": hold.task,
        "args": {"required_arg": "test", "more": [None]},
    }


def test_a_coroutine_is_awaited(driver: Driver) -> None:
    assert driver.result("asynchronous", {"x": [1]}) == [1]


def test_progress_is_reported_in_order(driver: Driver) -> None:
    hold = driver.start("progresses", attempt=3)
    assert json.loads(driver.outcome(hold).result) == {"task": hold.task, "attempt": 3, "cancelled": False}  # type: ignore[union-attr]
    _, *told, _ = driver.of(hold)
    assert told[-1] == Progressed(hold, Progress(1.0, "step 2"))


def test_no_progress_ends_a_function(driver: Driver) -> None:
    hold = driver.start("progresses_oddly")
    assert json.loads(driver.outcome(hold).result) == "went on"  # type: ignore[union-attr]
    *_, last, _ = driver.of(hold)
    assert last == Progressed(hold, Progress(1.0, "x" * 999 + "…"))


@pytest.mark.parametrize("padding", [0, 100_000])
def test_a_function_knows_its_place_in_the_trace(driver: Driver, padding: int) -> None:
    text = f"{' ' * padding}{{}}"
    traces = [driver.result("shows_trace", text=text, trace=trace)[0] for trace in (TRACE, None)]
    assert traces == [TRACE, None]


def test_a_run_of_an_unknown_type_fails(driver: Driver) -> None:
    assert driver.failure("unheard_of") == Failure("UnknownType", "no function serves the type unheard_of", unfit=True)


# Failures


def test_an_exception_is_a_failure_with_its_traceback(driver: Driver) -> None:
    failure = driver.failure("raises", {"message": "boom"})
    assert (failure.type, failure.message, failure.retriable, failure.delay) == ("ValueError", "boom", True, None)
    assert failure.traceback is not None
    assert failure.traceback.startswith("Traceback (most recent call last):\n  File ")
    assert "raise ValueError(message)\nValueError: boom\n" in failure.traceback
    assert "adapters" not in failure.traceback


@pytest.mark.parametrize(
    ("type", "args", "expected"),
    [
        ("picky", {"error": "KeyError"}, ("KeyError", "'as told'", True)),
        ("picky", {"error": "OSError"}, ("OSError", "as told", False)),
        ("retries", {"delay": 30}, ("Retry", "busy", True)),
        ("discards", {}, ("Discard", "why not", False)),
        ("exits", {"code": 3}, ("SystemExit", "sys.exit(3)", True)),
        ("exits", {"code": 0}, ("SystemExit", "sys.exit(0)", True)),
        ("raises_ultimate", {}, ("Ultimate", "the end", True)),
        ("raises_unprintable", {}, ("Unprintable", "its message cannot be shown: RuntimeError", True)),
        ("raises_recursion", {}, ("RecursionError", "maximum recursion depth exceeded", True)),
        ("returns", {"what": "set"}, ("InvalidResult", "the result cannot be kept: $.a.0 is a set", False)),
        (
            "returns",
            {"what": "key"},
            (
                "InvalidResult",
                "the result cannot be kept: $.a.<tuple> has a key of type tuple, which has no text",
                False,
            ),
        ),
        (
            "returns",
            {"what": "surrogate"},
            ("InvalidResult", "the result cannot be kept: $.0 holds a lone surrogate, which is not a character", False),
        ),
    ],
)
def test_a_function_fails_clearly_whatever_it_does(driver: Driver, type: str, args: Any, expected: Any) -> None:
    failure = driver.failure(type, args)
    assert (failure.type, failure.message, failure.retriable) == expected
    assert not failure.unfit, "it began"
    assert driver.result("echo") == {}, "and the next one runs"


def test_a_failure_may_ask_for_a_delay(driver: Driver) -> None:
    assert driver.failure("retries", {"delay": 30}).delay == 30
    assert driver.failure("retries").delay is None


def test_a_failure_can_be_stored_whatever_it_says(driver: Driver) -> None:
    failure = driver.failure("raises", {"message": "\ud800\x00" + "x" * 100_000})
    assert failure.message.startswith("\\ud800\x00x")
    assert len(failure.message) == 2000
    assert failure.traceback is not None
    assert len(failure.traceback) <= 32_768
    assert failure.traceback.endswith("xxx\n")


def test_an_integer_is_measured_even_where_python_would_write_it(driver: Driver) -> None:
    message = "the result cannot be kept: $.0 is an integer of more than 4300 digits"
    assert driver.failure("lifts_the_limit").message == message


def test_not_a_number_becomes_null(driver: Driver) -> None:
    assert driver.result("returns", {"what": "nan"}) == [None]


def test_a_result_may_be_16_mib_long_and_not_a_byte_more(driver: Driver) -> None:
    assert len(driver.result("large", {"size": 2**24})) == 2**24 - 2
    failure = driver.failure("large", {"size": 2**24 + 1})
    assert failure.message == "the result cannot be kept: $ is longer than 16,777,216 bytes as JSON"
    assert not failure.retriable


# Several at once, and their end


def test_two_functions_run_at_once_and_then_none_can_start(driver: Driver, tmp_path: Path) -> None:
    done = tmp_path / "done"
    holds = [driver.start("waits", {"path": str(done)}) for _ in range(2)]
    for hold in holds:
        driver.started(hold)
    driver.until(lambda: driver.executor.free == 0)
    done.touch()
    assert [json.loads(each.result) for each in driver.outcomes(holds)] == ["waited", "waited"]  # type: ignore[union-attr]
    assert driver.executor.free == 2


def test_an_ended_run_fails_with_the_failure_that_ended_it(driver: Driver, never: str) -> None:
    hold = driver.start("waits", {"path": never})
    driver.started(hold)
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT)
    driver.all_free()
    assert driver.result("echo", {"a": 1}) == {"a": 1}


def test_a_run_can_be_ended_as_soon_as_it_is_started(driver: Driver, never: str) -> None:
    hold = driver.start("waits", {"path": never})
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT)
    driver.all_free()


def test_a_run_has_one_outcome_however_often_it_is_ended(driver: Driver, never: str) -> None:
    hold = driver.start("waits", {"path": never})
    driver.executor.end(hold, TIMEOUT)
    driver.executor.end(hold, Failure("Cancelled", "twice"))
    assert driver.outcome(hold) == Failed(hold, TIMEOUT)
    driver.executor.end(hold, Failure("Cancelled", "and again"))
    driver.all_free()
    driver.run("echo")
    assert len(driver.of(hold, Failed, Succeeded)) == 1


def test_an_outcome_that_has_arrived_beats_an_end(driver: Driver, tmp_path: Path, never: str) -> None:
    other = driver.start("waits", {"path": never})
    driver.started(other)
    hold = driver.start("waits", {"path": str(tmp_path), "started": str(tmp_path / "began")})
    while not (tmp_path / "began").exists():
        time.sleep(0.001)
    time.sleep(0.1)  # what was written after that file has arrived by now
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Succeeded(hold, '"waited"')
    driver.executor.end(other, TIMEOUT)


def test_ending_an_unknown_run_is_no_error(driver: Driver) -> None:
    driver.executor.end(Hold(-1, -1, "nobody"), TIMEOUT)  # type: ignore[arg-type]
    assert driver.executor.events(0) == []


def test_a_function_that_looks_whether_it_was_cancelled_can_clean_up(driver: Driver, tmp_path: Path) -> None:
    hold = driver.start("heeds", {"path": str(tmp_path / "clean")})
    driver.until(lambda: driver.of(hold, Progressed))
    driver.executor.end(hold, TIMEOUT)
    assert driver.outcome(hold) == Failed(hold, TIMEOUT)
    driver.until((tmp_path / "clean").exists)


def test_a_wake_ends_the_wait_for_events(driver: Driver) -> None:
    start = time.monotonic()
    Timer(0.05, driver.executor.wake).start()
    assert driver.executor.events(20) == []
    assert time.monotonic() - start < 10


def test_a_wake_before_the_wait_for_events_ends_it(driver: Driver) -> None:
    driver.executor.wake()
    start = time.monotonic()
    assert driver.executor.events(20) == []
    assert time.monotonic() - start < 10


def test_many_short_runs_all_end_once(driver: Driver) -> None:
    holds = [driver.start("echo", {"n": n}) for n in range(500)]
    assert [json.loads(each.result)["n"] for each in driver.outcomes(holds)] == list(range(500))  # type: ignore[union-attr]
    endings = [each.hold for each in driver.received if isinstance(each, Succeeded | Failed)]
    assert len(endings) == len(set(endings))


def test_an_executor_closes_whatever_goes_on(opened: Callable[..., Driver], never: str) -> None:
    driver = opened(FUNCTIONS)
    driver.started(driver.start("waits", {"path": never}))
