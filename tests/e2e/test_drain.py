"""A command on any machine that reaches the database ends one handler, which lets its task finish."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT
from tests.e2e.service import Service, eventually

FUNCTIONS = """
import time
from pathlib import Path
from flask_tasks import task

@task
def held(mark: str):
    while not Path(mark).exists():
        time.sleep(0.01)
"""
DRAINED_SECONDS = 20.0
"""A machine may be busy. That it takes about a second is tested without processes."""


def admin(service: Service, *arguments: str) -> str:
    command = [sys.executable, "-m", "entrypoints.admin", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=service.environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_drained_handler_finishes_its_task_and_ends_and_another_goes_on(
    new_service: Callable[..., Service], tmp_path: Path
):
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    service = new_service(TASKS=str(tmp_path / "functions.py"), HANDLER_CONCURRENCY="1", GRACE="60")
    service.start("http")
    handlers = {each.pid: each for each in (service.start("handler"), service.start("handler"))}
    service.await_ready("held")
    mark = tmp_path / "mark"
    held = service.await_status(service.submit("held", {"mark": str(mark)})["id"], "running")
    said = admin(service, "drain", held["handler"])
    assert said.startswith(f"Handler {held['handler']} is asked to stop.")

    def states() -> dict[str, str]:
        return {each["id"]: each["state"] for each in service.client.get("/handlers").json()["handlers"]}

    eventually(lambda: states().get(held["handler"]) == "draining", DRAINED_SECONDS)
    mark.touch()
    service.await_status(held["id"], "done")
    drained = handlers.pop(next(pid for pid in handlers if f"-{pid}-" in held["handler"]))
    assert drained.wait(DRAINED_SECONDS) == 0
    assert service.run("held", {"mark": str(mark)})["status"] == "done"
    (other,) = handlers.values()
    assert other.poll() is None
