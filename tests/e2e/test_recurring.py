"""Recurring tasks with real janitors and handlers. The tests move the next tick into the past."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from adapters.postgres import Database
from tests.e2e.service import Service, eventually

FUNCTIONS = """
from flask_tasks import task

@task(every="0 7 * * 1-5", timezone="Europe/Lisbon")
def report():
    return "reported"

@task
def other(): ...
"""
NewService = Callable[..., Service]


def listed(service: Service) -> Any:
    """The schedule of `report`."""
    types = service.client.get("/types").json()["types"]
    return next(type["schedule"] for type in types if type["name"] == "report")


def tasks(service: Service) -> list[dict[str, Any]]:
    return service.client.get("/tasks").json()["tasks"]


def await_tasks(service: Service, number: int) -> None:
    eventually(lambda: len(tasks(service)) == number)


@contextmanager
def database(service: Service) -> Iterator[Database]:
    database = Database(service.environment["DATABASE_URL"])
    yield database
    database.close()


def miss_ticks(service: Service, days: int = 3) -> None:
    """Move the next ticks into the past, as if no janitor had run for some days."""
    with database(service) as there, there.engine.begin() as connection:
        connection.execute(text(f"UPDATE schedules SET next = next - interval '{days + 7} days'"))


def test_several_janitors_create_one_task_for_a_tick(new_service: NewService, tmp_path: Path):
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    service = new_service(TASKS=str(tmp_path / "functions.py"))
    for name in ("http", "handler", "janitor", "janitor", "janitor"):
        service.start(name)
    service.await_ready("report")
    first = listed(service)
    assert (first["every"], first["timezone"]) == ("0 7 * * 1-5", "Europe/Lisbon")
    for ticks in range(1, 4):
        miss_ticks(service)
        await_tasks(service, ticks)
    for task in tasks(service):
        done = service.await_status(task["id"], "done")
        assert (done["type"], done["args"], done["result"]) == ("report", {}, "reported")
    eventually(lambda: listed(service) == first)
    assert len(tasks(service)) == 3
    assert "report recurs: created task 1" in service.logs()


def test_a_schedule_that_a_newer_version_lacks_is_listed_without_a_next_time(new_service: NewService, tmp_path: Path):
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    (tmp_path / "newer.py").write_text(FUNCTIONS.replace("def report", "def renamed"))
    service = new_service(TASKS=str(tmp_path / "functions.py"))
    _, old, _ = [service.start(name) for name in ("http", "handler", "janitor")]
    service.await_ready("report")
    service.start("handler", TASKS=str(tmp_path / "newer.py"))
    service.await_ready("renamed")
    assert listed(service)["next"] is not None
    old.terminate()
    eventually(lambda: listed(service)["next"] is None)
    miss_ticks(service)
    eventually(lambda: [task["type"] for task in tasks(service)] == ["renamed"])


def test_a_handler_whose_function_cannot_recur_ends_with_a_sentence(new_service: NewService, tmp_path: Path):
    (tmp_path / "functions.py").write_text(FUNCTIONS.replace("1-5", "1-9"))
    service = new_service(TASKS=str(tmp_path / "functions.py"))
    handler: subprocess.Popen[bytes] = service.start("handler")
    assert handler.wait(20) == 2
    sentence = f"report ({tmp_path}/functions.py:4) cannot be a task: every is '0 7 * * 1-9': bad day-of-week"
    assert sentence in service.logs()
