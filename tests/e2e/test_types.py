"""Types that the handlers of today do not have any more, with real handlers and janitors."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.postgres import Database
from tests.concurrency import asked
from tests.e2e.service import Service, eventually

KEPT = """
from flask_tasks import task

@task
def kept(): return "kept"
"""
GONE = """
@task(every="0 7 * * 1")
def gone(): return "gone"
"""
NewService = Callable[..., Service]


class Handlers:
    """An API, a janitor, and handlers with one of the functions or both. Tasks are kept for some seconds."""

    def __init__(self, new_service: NewService, folder: Path) -> None:
        self._folder = folder
        self.service = new_service(MAX_TASK_TIME="2")
        for name in ("http", "janitor"):
            self.service.start(name)

    def start(self, functions: str, *types: str) -> subprocess.Popen[bytes]:
        file = self._folder / f"functions_{len(self.service.processes)}.py"
        file.write_text(functions)
        handler = self.service.start("handler", TASKS=str(file))
        self.service.await_ready(*types)
        return handler

    def types(self) -> dict[str, dict[str, Any]]:
        return {type["name"]: type for type in self.service.client.get("/types").json()["types"]}

    def noted_as_abandoned(self) -> list[Any]:
        """The types that janitors know to be abandoned, also when no handler lives."""
        database = Database(self.service.environment["DATABASE_URL"])
        try:
            return asked(database, "SELECT name FROM task_types WHERE abandoned_at IS NOT NULL")
        finally:
            database.close()

    def documented(self) -> set[str]:
        """The published types that the document and the message for an unknown type name."""
        paths = self.service.client.get("/openapi.json").json()["paths"]
        message = self.service.client.post("/task/new/unheard_of", json={}).json()["message"]
        names = {name for name in ("kept", "gone") if f"/task/new/{name}" in paths}
        assert names == {name for name in ("kept", "gone") if name in message}
        return names


@pytest.fixture
def handlers(new_service: NewService, tmp_path: Path) -> Handlers:
    return Handlers(new_service, tmp_path)


def test_a_function_that_an_update_drops_is_marked_left_out_and_forgotten(handlers: Handlers):
    service = handlers.service
    old = handlers.start(KEPT + GONE, "kept", "gone")
    assert handlers.documented() == {"kept", "gone"}
    handlers.start(KEPT, "kept")
    assert handlers.documented() == {"kept", "gone"}
    old.kill()
    eventually(lambda: handlers.types()["gone"]["abandoned"])
    assert handlers.documented() == {"kept"}
    task = service.submit("gone")
    assert task["waiting_for"] == "no_handler_for_type"
    assert service.run("kept")["result"] == "kept"

    eventually(lambda: service.status(f"/task/{task['id']}") == 404)
    eventually(lambda: "gone" not in handlers.types())
    assert service.client.post("/task/new/gone", json={}).status_code == 404
    assert "forgot the types that no handler and no task has: gone" in service.logs()

    handlers.start(KEPT + GONE, "kept", "gone")
    assert handlers.documented() == {"kept", "gone"}
    assert service.run("gone")["result"] == "gone"


def test_the_functions_of_the_last_handler_stay_while_none_lives(handlers: Handlers):
    old = handlers.start(KEPT + GONE, "kept", "gone")
    new = handlers.start(KEPT, "kept")
    old.terminate()
    eventually(handlers.noted_as_abandoned)
    new.terminate()
    eventually(lambda: not handlers.types()["kept"]["live"])
    assert handlers.documented() == {"kept"}
    assert handlers.service.submit("kept")["waiting_for"] == "no_handler_for_type"
