"""GET /handlers with real processes: handlers that run, drain and are killed, and a janitor that is killed."""

import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters.postgres import Database
from application.ports.monitoring import JANITOR_SILENCE
from tests.e2e.service import Service, eventually

FUNCTIONS = """
import time
from flask_tasks import Progress, task

@task
def hold(progress: Progress, seconds: float = 60):
    progress(0.5, "holding")
    time.sleep(seconds)
"""
Listed = dict[int, dict[str, Any]]


class Processes:
    """An API, two handlers with two slots each, and a janitor. Each is known by its process id."""

    def __init__(self, service: Service) -> None:
        self.service = service
        service.start("http")
        self.one, self.two = service.start("handler"), service.start("handler")
        self.janitor = service.start("janitor")
        service.await_ready("hold")
        eventually(lambda: self.handlers().keys() >= {self.one.pid, self.two.pid})

    def handlers(self) -> Listed:
        return self._listed("handlers")

    def janitors(self) -> Listed:
        return self._listed("janitors")

    def state(self, process: subprocess.Popen[bytes]) -> str | None:
        """The state of a process; None if it is not listed."""
        return (self.handlers() | self.janitors()).get(process.pid, {}).get("state")

    def await_running(self) -> Listed:
        """Hold all four slots, and wait until each handler runs two tasks that have reported their progress."""
        for _ in range(4):
            self.service.submit("hold")
        return eventually(lambda: handlers if self._all_run(handlers := self.handlers()) else None)

    def pass_silently(self, time: timedelta) -> None:
        """Let all janitors have been seen so much earlier. Those that live are seen again soon."""
        with closing(Database(self.service.environment["DATABASE_URL"])) as database, database.engine.begin() as it:
            it.execute(text("UPDATE janitors SET last_seen = last_seen - :time"), {"time": time})

    def _all_run(self, handlers: Listed) -> bool:
        tasks = [task for handler in handlers.values() for task in handler["running"]]
        return len(tasks) == 4 and all(task["progress"] for task in tasks)

    def _listed(self, kind: str) -> Listed:
        return {each["pid"]: each for each in self.service.client.get("/handlers").json()[kind]}


@pytest.fixture
def processes(new_service: Callable[..., Service], tmp_path: Path) -> Processes:
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    return Processes(new_service(TASKS=str(tmp_path / "functions.py"), GRACE="20"))


def test_handlers_are_shown_while_they_run_drain_and_are_killed(processes: Processes):
    handlers = processes.await_running()
    assert handlers.keys() == {processes.one.pid, processes.two.pid}
    for handler in handlers.values():
        assert (handler["state"], handler["concurrency"], handler["idle"]) == ("live", 2, 0)
        assert handler["types"] == ["hold"]
        assert handler["id"].startswith(f"{handler['host']}-{handler['pid']}-")
        assert handler["running_count"] == len(handler["running"]) == 2
        for task in handler["running"]:
            view = processes.service.view(task["id"])
            assert (task["type"], task["progress"]) == ("hold", {"value": 0.5, "message": "holding"})
            assert (view["handler"], view["started"]) == (handler["id"], task["started"])
            assert handler["started"] < task["started"]

    # The other handler and the janitor see that the process has ended: its tasks are taken back, its record goes.
    processes.two.kill()
    eventually(lambda: processes.state(processes.two) is None)
    assert processes.handlers()[processes.one.pid]["running_count"] == 2

    ids = [task["id"] for task in processes.handlers()[processes.one.pid]["running"]]
    processes.one.terminate()
    eventually(lambda: processes.state(processes.one) == "draining")
    for id in ids:
        processes.service.client.post(f"/task/{id}/cancel")
    eventually(lambda: processes.handlers() == {})
    assert processes.one.wait(20) == 0


def test_a_handler_that_nothing_sees_end_is_silent_after_its_lease(processes: Processes):
    processes.await_running()
    # With the janitor and the other handler gone, only the lease tells.
    for process in (processes.janitor, processes.one, processes.two):
        process.kill()
        process.wait()
    eventually(lambda: {each["state"] for each in processes.handlers().values()} == {"silent"})
    silent = processes.handlers()
    assert silent.keys() == {processes.one.pid, processes.two.pid}
    assert [each["running_count"] for each in silent.values()] == [2, 2]


def test_a_janitor_is_shown_until_it_stops_and_is_silent_when_it_is_killed(processes: Processes):
    janitor = eventually(lambda: processes.janitors().get(processes.janitor.pid))
    assert (janitor["state"], janitor["id"].startswith(f"{janitor['host']}-{janitor['pid']}-")) == ("live", True)
    eventually(lambda: processes.janitors()[processes.janitor.pid]["last_seen"] > janitor["last_seen"])
    processes.janitor.kill()
    other = processes.service.start("janitor")
    eventually(lambda: processes.state(other) == "live")
    assert processes.state(processes.janitor) == "live"
    processes.pass_silently(JANITOR_SILENCE)
    eventually(lambda: (processes.state(processes.janitor), processes.state(other)) == ("silent", "live"))
    other.terminate()
    assert other.wait(20) == 0
    assert eventually(lambda: other.pid not in processes.janitors())
    assert processes.state(processes.janitor) == "silent"


def test_a_type_has_the_oldest_due_task_while_its_queue_is_behind(processes: Processes):
    def oldest_due() -> float | None:
        (hold,) = (each for each in processes.service.client.get("/types").json()["types"] if each["name"] == "hold")
        due: float | None = hold["oldest_due"]
        return due

    assert oldest_due() is None
    running = processes.await_running()
    late = [processes.service.submit("hold") for _ in range(2)]
    assert eventually(oldest_due) == late[0]["run_at"]
    for handler in running.values():
        processes.service.client.post(f"/task/{handler['running'][0]['id']}/cancel")
    eventually(lambda: oldest_due() is None)
