"""`entrypoints.up --reload`: changes of the user's files are loaded, and whatever runs finishes."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_up import Up, eventually, is_first

FUNCTIONS = """
import time
from flask_tasks import task
from helpers.words import WORD

@task
def said(seconds: float = 0.0) -> str:
    time.sleep(seconds)
    return "{} " + WORD
"""
LOADED, REFUSED = "the changed functions are loaded", "the changed functions cannot be loaded"
pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for leftover processes in /proc")


class Files:
    """The user's files: a file of functions, and a module that it imports."""

    def __init__(self, folder: Path) -> None:
        self.functions, self.words = folder / "functions.py", folder / "helpers" / "words.py"
        self.words.parent.mkdir()
        self.say("one")
        self.words.write_text('WORD = "word"\n')

    def say(self, word: str) -> None:
        self.functions.write_text(FUNCTIONS.format(word))


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the data that all tests share."""
    return tmp_path_factory.mktemp("reload")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def up(data_folder: Path, files: Files) -> Iterator[Up]:
    up = Up(data_folder, "--reload", TASKS=str(files.functions), GRACE="1").await_ready()
    up.await_line("a change of the functions is loaded when their files are saved")
    yield up
    up.process.kill()
    up.await_end()
    up.await_no_processes()


def said(up: Up, seconds: float = 0.0) -> Any:
    return up.post("/task/new/said?wait=20", seconds=seconds)["result"]


def await_running(up: Up, id: int) -> None:
    eventually(lambda: up.get(f"/task/{id}/view")["status"] == "running", up.output)


def test_a_changed_file_is_loaded_and_what_runs_finishes_beyond_the_grace(up: Up, files: Files) -> None:
    assert said(up) == "one word"
    long = up.post("/task/new/said", seconds=9)
    await_running(up, long["id"])
    files.say("two")
    up.await_line(LOADED)
    assert said(up) == "two word"
    assert up.get(f"/task/{long['id']}/view")["status"] == "running", "more than its one process runs meanwhile"
    found = up.get(f"/task/{long['id']}/view?wait=40")
    assert (found["status"], found["result"], found["attempt"]) == ("done", "one word", 1)
    eventually(lambda: len(handlers(up)) == 1, up.output)


def handlers(up: Up) -> list[int]:
    return [pid for pid in up.processes("entrypoints.handler") if is_first(pid)]


def test_a_file_that_the_functions_import_is_watched_too(up: Up, files: Files) -> None:
    files.words.write_text('WORD = "changed"\n')
    up.await_line(LOADED)
    assert said(up) == "one changed"


def test_a_change_of_limits_alone_is_loaded_too(up: Up, files: Files) -> None:
    assert limits(up) is None
    files.functions.write_text(FUNCTIONS.format("one").replace("@task", "@task(at_once=3)"))
    up.await_line(LOADED)
    eventually(lambda: (limits(up) or {}).get("declared") == {"at_once": 3}, up.output)


def limits(up: Up) -> Any:
    return next(type["limits"] for type in up.get("/types")["types"] if type["name"] == "said")


def test_a_broken_file_changes_nothing_but_a_line_and_the_next_change_mends_it(up: Up, files: Files) -> None:
    files.functions.write_text("def broken(:\n")
    up.await_line("functions.py cannot be imported: SyntaxError")
    up.await_line(REFUSED)
    assert said(up) == "one word"
    files.functions.write_text("import a_module_that_is_not_there\n")
    up.await_line("No module named 'a_module_that_is_not_there'")
    up.await_lines(2, REFUSED)
    assert said(up) == "one word"
    files.say("three")
    up.await_line(LOADED)
    assert said(up) == "three word"


def test_a_handler_that_dies_beside_a_broken_file_is_back_with_the_next_change(up: Up, files: Files) -> None:
    files.functions.write_text("def broken(:\n")
    up.await_line(REFUSED)
    (before,) = handlers(up)
    os.kill(before, signal.SIGKILL)
    up.await_lines(2, "functions.py cannot be imported: SyntaxError")
    assert up.process.poll() is None
    files.say("four")
    up.await_line(LOADED)
    assert said(up) == "four word"


def test_several_changes_at_once_end_with_the_last_one(up: Up, files: Files) -> None:
    for number in range(20):
        files.say(f"{number}")
        time.sleep(0.05)
    up.await_line(LOADED)
    eventually(lambda: said(up) == "19 word", up.output)
    eventually(lambda: len(handlers(up)) == 1, up.output)


def test_ctrl_c_while_an_earlier_handler_finishes_ends_all_after_the_grace(up: Up, files: Files) -> None:
    long = up.post("/task/new/said?max_losses=0", seconds=600)  # so that no later test meets it
    await_running(up, long["id"])
    files.say("five")
    up.await_line(LOADED)
    up.process.send_signal(signal.SIGINT)
    assert up.await_end() == 0
    assert not up.processes()


def test_another_argument_is_refused(tmp_path: Path) -> None:
    refused = Up(tmp_path, "--relaod")
    assert refused.await_end() == 2
    assert refused.lines == ["flask-tasks: there is no argument --relaod; --reload is the only one"]


def test_without_the_argument_no_file_is_watched(data_folder: Path, files: Files) -> None:
    up = Up(data_folder, TASKS=str(files.functions)).await_ready()
    try:
        files.say("six")
        assert said(up) == "one word"
        assert LOADED not in up.output()
    finally:
        up.process.terminate()
        up.await_end()
