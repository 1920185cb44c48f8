"""README.md: its requests and its line of Python are run as they stand there, in the order of the page."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.examples import blocks
from tests.e2e.service import Service

COMMANDS = blocks("README.md", "sh")
ANSWERS = [json.loads(block) for block in blocks("README.md", "json")]
IMPORT_CLIENT = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from flask_tasks import Client; Client()"


@pytest.fixture
def new(new_service: Callable[..., Service]) -> Service:
    service = new_service()
    for name in ("http", "handler"):
        service.start(name)
    service.await_ready("default", "add", "mov3d")
    return service


def run(service: Service, command: str, folder: Path) -> str:
    """The output of a command of the page, in a checkout with an environment, beside that service."""
    (folder / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
    python = folder / ".venv" / "bin" / "python"
    if not python.exists():
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
    if not (folder / "flask_tasks").exists():
        (folder / "flask_tasks").symlink_to(ROOT / "flask_tasks")
    here = command.replace("localhost:5000", f"127.0.0.1:{service.port}")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        ["bash", "-c", here],
        cwd=folder,
        env=environment | {"PORT": str(service.port)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_each_request_is_answered_as_the_page_says(new: Service, tmp_path: Path) -> None:
    requests = [command for command in COMMANDS if "curl" in command]
    assert len(requests) == 4
    submitted, viewed, falling = (command.replace("/view", "/view?wait=20") for command in requests[:3])
    for command, shown in zip((submitted, viewed), ANSWERS, strict=True):
        answer = json.loads(run(new, command, tmp_path))
        assert list(answer) == list(shown)
        assert {name: answer[name] for name in answer if not is_time(shown[name])} == {
            name: shown[name] for name in shown if not is_time(shown[name])
        }
    assert new.await_status(json.loads(run(new, falling, tmp_path))["id"], "done")["result"]["times"]


def test_the_function_of_ones_own_runs(new_service: Callable[..., Service], tmp_path: Path) -> None:
    (function,) = (block for block in blocks("README.md", "python") if "@task" in block)
    (command,) = (each for each in COMMANDS if "/power" in each)
    (tmp_path / "tasks.py").write_text(f"{(ROOT / 'tasks' / 'tasks.py').read_text()}\n\n{function}")
    service = new_service(TASKS=str(tmp_path / "tasks.py"))
    for name in ("http", "handler"):
        service.start(name)
    service.await_ready("power")
    answer = json.loads(run(service, command, tmp_path))
    assert (answer["status"], answer["result"]) == ("done", 9)


def is_time(value: object) -> bool:
    return isinstance(value, float | int) and value > 1e9


def test_the_line_of_python_runs_in_the_checkout(new: Service, tmp_path: Path) -> None:
    (command,) = (each for each in COMMANDS if "flask_tasks import" in each)
    assert run(new, command, tmp_path) == "3\n"


def test_a_python_without_httpx_says_which_python_has_it() -> None:
    # -S leaves the installed packages out.
    done = subprocess.run([sys.executable, "-I", "-S", "-c", IMPORT_CLIENT], capture_output=True, text=True, timeout=60)
    assert re.search(r"ModuleNotFoundError: the client needs httpx.*\.venv/bin/python.*pip", done.stderr), done.stderr
