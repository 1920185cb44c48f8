"""Hostile functions: their tasks end with a clear outcome, nothing of them is left, and no other task is affected."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import ROOT
from tests.e2e.service import Service, eventually
from tests.process_table import is_alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for leftovers in /proc")

HTTP, HANDLER = 0, 1
MIB = 1024 * 1024


class Done(NamedTuple):
    """A task that is done, with its result."""

    result: Any


class Failed(NamedTuple):
    """A task that failed, with the type and message of its error."""

    type: str
    message: str


def crashed(how: str) -> Failed:
    return Failed("Crashed", f"the process that ran it {how}")


def too_long(seconds: float) -> Failed:
    return Failed("TimeoutError", f"it took longer than {seconds:g} s")


def invalid_result(why: str) -> Failed:
    return Failed("InvalidResult", f"the result cannot be kept: {why}")


@pytest.fixture(scope="module")
def service(new_migrated_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """API and handler; the lease is shorter than the runs of some functions."""
    tasks = f"{ROOT}/tests/user_functions.py,{ROOT}/tests/hostile_functions.py"
    service = Service(new_migrated_database(), tmp_path_factory.mktemp("hostile"), TASKS=tasks, LEASE="1")
    try:
        for name in ("http", "handler"):
            service.start(name)
        service.await_ready("waits", "looks_around")
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="module")
def untouched(service: Service) -> dict[str, Any]:
    """The process state that a function finds where no other function has run."""
    return service.run("looks_around")["result"]


@pytest.fixture
def run(service: Service, untouched: dict[str, Any], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run a task beside others, and check that these are not affected."""

    def run(type: str, args: dict[str, Any], **options: Any) -> dict[str, Any]:
        with others(service, tmp_path):
            task = service.run(type, args, **options)
            after = service.run("looks_around")  # in the same child, or its successor: the other child is busy
            assert after["status"] == "done", after["error"]
            assert {name: found for name, found in after["result"].items() if found != untouched[name]} == {}
            assert printed(service, after) == "heard\n"
        return task

    return run


@contextmanager
def others(service: Service, folder: Path) -> Iterator[None]:
    """Run a slow task during the block, which occupies one of the two children, and quick ones after it."""
    begun, end = folder / "begun", folder / "end"
    slow = service.submit("waits", {"path": str(end), "started": str(begun)})
    eventually(begun.exists)
    try:
        yield
        check_quick_tasks(service)
        assert service.view(slow["id"])["status"] == "running"
    except BaseException:
        service.submit("crashes", {"how": "exit"})  # so that the next test has another child
        raise
    finally:
        end.touch()
    ended = service.await_status(slow["id"], "done")
    assert (ended["result"], ended["attempt"]) == ("waited", 1)
    assert [each.poll() for each in service.processes] == [None, None]


def check_quick_tasks(service: Service) -> None:
    quick = [service.submit("echo", {"n": n}) for n in range(3)]
    for n, task in enumerate(quick):
        ended = service.await_status(task["id"], "done")
        assert (ended["result"], ended["attempt"]) == ({"n": n}, 1)


def printed(service: Service, task: dict[str, Any]) -> str:
    return "".join(each["log"] for each in service.client.get(f"/task/{task['id']}/log").json()["attempts"])


def outcome(task: dict[str, Any]) -> Done | Failed:
    if task["status"] == "done":
        return Done(task["result"])
    assert task["status"] == "failed"
    return Failed(task["error"]["type"], task["error"]["message"])


SECONDS = {"timeout": 0.5}

DOES = {
    "hogs its interpreter for seconds": ("hogs", {"letters": 25}, {}, Done(False)),
    "hogs its interpreter for ever": ("hogs", {"letters": 100}, SECONDS, too_long(0.5)),
    "computes in one operation": ("computes", {"digits": 2_000_000}, {}, Done(True)),
    "computes in one operation for ever": ("computes", {"digits": 10**9}, SECONDS, too_long(0.5)),
    "blocks in C": ("blocks", {"keeps_the_interpreter": False}, SECONDS, too_long(0.5)),
    "blocks in C and keeps the interpreter": ("blocks", {"keeps_the_interpreter": True}, SECONDS, too_long(0.5)),
    "prints 100 MB": ("prints_megabytes", {"count": 100}, {}, Done(100)),
    "closes its streams": ("closes_its_streams", {}, {}, Done("closed")),
    "closes what it finds open": ("closes", {"first": 0, "last": 4096}, {}, Done("closed")),
    "leaves its output elsewhere": ("redirects", {"path": "/dev/null"}, {}, Done(None)),
    "writes into every pipe": (
        "scribbles",
        {},
        {},
        Failed("Crashed", "something else wrote into the pipe between its process and the handler"),
    ),
    "writes into everything": (
        "writes_into_everything",
        {},
        {},
        Failed("Crashed", "something else wrote into the pipe between its process and the handler"),
    ),
    "reads from everything": ("reads_from_everything", {}, {}, Done("read")),
    "leaves with os._exit": ("crashes", {"how": "exit"}, {}, crashed("ended with exit code 3")),
    "kills itself": ("crashes", {"how": "signal"}, {}, crashed("was killed by SIGKILL")),
    "reads where nothing is": ("crashes", {"how": "segfault"}, {}, crashed("was killed by SIGSEGV")),
    "aborts": ("crashes", {"how": "abort"}, {}, crashed("was killed by SIGABRT")),
    "leaves with sys.exit": ("exits", {"code": 3}, {}, Failed("SystemExit", "sys.exit(3)")),
    "leaves with sys.exit as if all were well": ("exits", {"code": 0}, {}, Failed("SystemExit", "sys.exit(0)")),
    "returns twice": ("forks", {}, {}, Done("parent")),
    "returns twice and Python does not know": ("forks_in_c", {}, {}, Done("parent")),
    "leaves its session": (
        "leaves_its_group",
        {"how": "setsid"},
        {},
        Failed("PermissionError", "[Errno 1] Operation not permitted"),
    ),
    "leaves its process group": (
        "leaves_its_group",
        {"how": "setpgid"},
        {},
        Failed("PermissionError", "[Errno 1] Operation not permitted"),
    ),
    "stops itself": ("stops_itself", {}, SECONDS, too_long(0.5)),
    "stops its process group": ("signals_its_group", {"number": 19}, SECONDS, too_long(0.5)),
    "kills its process group": ("signals_its_group", {"number": 9}, {}, crashed("was killed by SIGKILL")),
    "ignores every signal": ("ignores_signals", {}, SECONDS, too_long(0.5)),
    "raises what takes for ever to be shown": ("throws", {"what": "hangs"}, SECONDS, too_long(0.5)),
    "ignores to be ended": ("ignores_to_be_ended", {}, {}, Done("registered")),
    "blocks signals": ("blocks_signals", {}, {}, Done("blocked")),
    "moves everything": ("moves_everything", {"path": "/"}, {}, Done("moved")),
    "may open nothing more": ("limits", {"what": "descriptors"}, {}, Done("limited")),
    "may write nothing more": ("limits", {"what": "files"}, {}, Done("limited")),
    "may call hardly anything": ("limits", {"what": "recursion"}, {}, Done("limited")),
    "forgets its own modules": ("forgets_modules", {"all_of_them": False}, {}, Done("forgotten")),
    "forgets all modules": ("forgets_modules", {"all_of_them": True}, {}, Done("forgotten")),
    "replaces print": ("replaces_a_builtin", {"name": "print"}, {}, Done("replaced")),
    "leaves a thread that prints for ever": ("leaves_a_thread", {"daemon": False}, {}, Done("started")),
    "leaves a loop that is busy for ever": ("leaves_a_coroutine", {}, SECONDS, too_long(0.5)),
    "leaves a daemon thread that prints for ever": ("leaves_a_thread", {"daemon": True}, {}, Done("started")),
}


@pytest.mark.parametrize(("type", "args", "options", "expected"), DOES.values(), ids=DOES)
def test_a_hostile_function_has_this_outcome(
    run: Callable[..., dict[str, Any]],
    type: str,
    args: dict[str, Any],
    options: dict[str, Any],
    expected: Done | Failed,
):
    assert outcome(run(type, args, **options)) == expected


def test_a_function_that_closes_every_descriptor_crashes(run: Callable[..., dict[str, Any]]):
    """The handler may see the end of the pipe before the death of the process."""
    assert outcome(run("closes", {"first": 0, "last": 2_000_000})) in (
        crashed("ended with exit code 1"),
        Failed("Crashed", "its process closed the pipe to the handler"),
    )


STARTS = {
    "a program": ({}, Done("started")),
    "a program without an environment": ({}, Done("started")),
    "a program, and waits for it": ({"timeout": 2}, too_long(2)),
    "a program, and dies": ({}, crashed("ended with exit code 1")),
    "a copy": ({}, Done("started")),
    "a copy that returns too": ({}, Done("started")),
    "a daemon": ({}, Done("started")),
}


@pytest.mark.parametrize(("how", "options", "expected"), [(how, *rest) for how, rest in STARTS.items()], ids=STARTS)
def test_a_process_that_a_function_started_ends_with_its_task(
    run: Callable[..., dict[str, Any]], tmp_path: Path, how: str, options: dict[str, Any], expected: Done | Failed
):
    pids = tmp_path / "pids"
    assert outcome(run("starts", {"how": how, "pids": str(pids)}, **options)) == expected
    (started,) = map(int, pids.read_text().split())
    eventually(lambda: not is_alive(started), within=2)


RAISES = {
    "an exception": ("raises", {"message": "boom"}, Failed("ValueError", "boom")),
    "what cannot be pickled": ("raises_what_cannot_be_pickled", {}, Failed("Local", "local")),
    "what is no Exception": ("raises_ultimate", {}, Failed("Ultimate", "the end")),
    "a message that raises": (
        "raises_unprintable",
        {},
        Failed("Unprintable", "its message cannot be shown: RuntimeError"),
    ),
    "a message of 10 MB": ("throws", {"what": "long"}, Failed("Wordy", "x" * 1999 + "…")),
    "a message that is no text": (
        "throws",
        {"what": "none"},
        Failed("Wordy", "its message cannot be shown: TypeError"),
    ),
    "a message that takes the process with it": ("throws", {"what": "dies"}, crashed("ended with exit code 4")),
    "an object that cannot be shown": (
        "throws",
        {"what": "unshowable"},
        Failed("ValueError", "its message cannot be shown: RuntimeError"),
    ),
    "a class without a name": ("throws", {"what": "nameless"}, Failed("Anonymous", "who?")),
    "a group": ("throws", {"what": "group"}, Failed("ExceptionGroup", "many (2 sub-exceptions)")),
    "a group of what is no Exception": (
        "throws",
        {"what": "ultimate group"},
        Failed("BaseExceptionGroup", "all (1 sub-exception)"),
    ),
    "KeyboardInterrupt": ("throws", {"what": "interrupt"}, Failed("KeyboardInterrupt", "by nobody")),
    "GeneratorExit": ("throws", {"what": "generator"}, Failed("GeneratorExit", "closed")),
    "StopIteration": ("throws", {"what": "iteration"}, Failed("StopIteration", "3")),
    "StopAsyncIteration": ("throws", {"what": "async iteration"}, Failed("StopAsyncIteration", "over")),
    "MemoryError": ("throws", {"what": "memory"}, Failed("MemoryError", "pretended")),
    "KeyboardInterrupt in a loop": (
        "throws_in_a_loop",
        {"what": "interrupt"},
        Failed("KeyboardInterrupt", "in the loop"),
    ),
    "SystemExit in a loop": ("throws_in_a_loop", {"what": "exit"}, Failed("SystemExit", "sys.exit('in the loop')")),
    "CancelledError in a loop": ("throws_in_a_loop", {"what": "cancelled"}, Failed("CancelledError", "in the loop")),
    "another on its way out": ("changes_its_mind", {}, Failed("ValueError", "on the way out")),
    "what has no end": ("raises_recursion", {}, Failed("RecursionError", "maximum recursion depth exceeded")),
}


@pytest.mark.parametrize(("type", "args", "expected"), RAISES.values(), ids=RAISES)
def test_a_function_that_raises_fails_with_this_error(
    run: Callable[..., dict[str, Any]], type: str, args: dict[str, Any], expected: Failed
):
    assert outcome(run(type, args)) == expected


RETURNS = {
    "arrays": Done({"a": [[1, 2], [3, 4]], "b": 0.5, "c": True}),
    "a dataclass": Done({"mass": 1.5, "when": "2026-05-01T12:30:00+00:00"}),
    "others": Done(["2026-05-01T12:30:00+00:00", "00000000-0000-0000-0000-000000000001", "1.10", "red"]),
    "a number that is none": Done([1.0, None, None]),
    "a generator": invalid_result("$.a is a generator"),
    "a set": invalid_result("$.0 is a set"),
    "bytes": invalid_result("$.a.b is a bytes: JSON has no bytes, but base64 or a data URL"),
    "half a character": invalid_result("$.a holds a lone surrogate, which is not a character"),
    "a list in itself": invalid_result(f"${'.0' * 20} and so on is nested more than 200 deep, or contains itself"),
    "what cannot be shown": invalid_result("$.1 is a hostile_functions.Unshowable"),
    "what cannot be counted": Failed("RuntimeError", "not to be counted"),
    "what cannot be asked": Failed("RuntimeError", "not to be asked"),
    "itself": invalid_result("$ is a function"),
}


@pytest.mark.parametrize(("what", "expected"), RETURNS.items(), ids=RETURNS)
def test_a_returned_value_has_this_outcome(run: Callable[..., dict[str, Any]], what: str, expected: Done | Failed):
    assert outcome(run("gives", {"what": what})) == expected


def test_a_result_of_16_mib_is_accepted(run: Callable[..., dict[str, Any]]):
    assert outcome(run("large", {"size": 16 * MIB})) == Done("x" * (16 * MIB - 2))


def test_a_result_of_more_than_16_mib_fails_its_task(run: Callable[..., dict[str, Any]]):
    expected = invalid_result("$ is longer than 16,777,216 bytes as JSON")
    assert outcome(run("large", {"size": 16 * MIB + 1})) == expected


def test_a_handler_stops_in_order_after_all_hostile_functions(service: Service):
    service.processes[HANDLER].terminate()
    assert service.processes[HANDLER].wait(10) == 0
