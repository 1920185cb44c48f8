"""docs/recipes.md: every function on it runs in a handler, and every example prints what stands there."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT
from tests.e2e.examples import blocks, is_printed, printed_lines
from tests.e2e.service import Service

PAGE = "docs/recipes.md"
FUNCTIONS = [block for block in blocks(PAGE, "python") if "@task" in block]
GPU = next(block for block in FUNCTIONS if "def infer(" in block)


def test_every_recipe_does_what_the_page_says(new_service: Callable[..., Service], tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "tasks.py").write_text("\n\n".join(block for block in FUNCTIONS if block is not GPU))
    (tmp_path / "gpu.py").write_text(GPU)
    service = new_service(TASKS=str(tmp_path / "tasks" / "tasks.py"))
    for name in ("http", "handler"):
        service.start(name)
    service.await_ready("monthly", "curve", "total", "count", "report", "report_lisbon", "weekly")
    program = "\n".join(block for block in blocks(PAGE, "python") if block not in FUNCTIONS)
    there = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "FLASK_TASKS_URL": f"http://127.0.0.1:{service.port}"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | there, capture_output=True, text=True, timeout=60)
    assert is_printed("".join(f"{line}\n" for line in printed_lines(program, "print", "#")), done.stdout), done
    results = [result_of(service, command, tmp_path) for command in blocks(PAGE, "sh") if "curl" in command]
    assert results == [10.7, "Lisbon: 1 days"]
    ids = service.run("weekly")["result"]
    assert [service.view(id)["args"]["city"] for id in ids] == ["Oslo", "Rome"]


def test_a_handler_of_its_own_runs_the_functions_of_a_gpu(new_service: Callable[..., Service], tmp_path: Path) -> None:
    (tmp_path / "gpu.py").write_text(GPU)
    (command,) = (each for each in blocks(PAGE, "sh") if "gpu.py" in each)
    assert command.endswith(".venv/bin/python -m entrypoints.handler\n")
    variables = dict(word.split("=") for word in command.split() if "=" in word)
    service = new_service()
    service.start("http")
    service.start("handler", **variables | {"TASKS": str(tmp_path / "gpu.py")})
    service.await_ready("infer")
    assert service.run("infer", {"text": "abc"})["result"] == "ABC"


def result_of(service: Service, command: str, folder: Path) -> object:
    """The result in the answer to the request of an example."""
    here = command.replace("localhost:5000", f"127.0.0.1:{service.port}")
    done = subprocess.run(["bash", "-c", here], cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    task = json.loads(done.stdout)
    assert task["status"] == "done", task
    return task["result"]
