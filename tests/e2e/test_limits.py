"""Limits of types with real handlers: what an operator sets holds within moments, and stands across restarts."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.service import Service, eventually
from tests.pgbouncer import needs_pgbouncer, pgbouncer

MAX_EFFECT_SECONDS = 1.5
FUNCTIONS = """
import time
from pathlib import Path
from flask_tasks import task

@task(at_once=2)
def held(path: str = "") -> str:
    while path and not Path(path).exists():
        time.sleep(0.01)
    return "held"
"""


@pytest.fixture
def service(new_service: Callable[..., Service], tmp_path: Path) -> Service:
    """An API and two handlers, each of which could run two tasks."""
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    return started(new_service(TASKS=str(tmp_path / "functions.py")))


@pytest.fixture
def pooled_service(new_database: Callable[[], str], tmp_path: Path) -> Iterator[Service]:
    """The same behind a pooler, which passes no notifications on."""
    (tmp_path / "functions.py").write_text(FUNCTIONS)
    with pgbouncer(new_database(), tmp_path) as url:
        service = Service(url, tmp_path, TASKS=str(tmp_path / "functions.py"))
        yield started(service)
        service.stop()


def started(service: Service) -> Service:
    for name in ("http", "handler", "handler"):
        service.start(name)
    service.await_ready("held")
    eventually(lambda: len(service.client.get("/handlers").json()["handlers"]) == 2)
    return service


def limits(service: Service) -> dict[str, Any]:
    (held,) = (type for type in service.client.get("/types").json()["types"] if type["name"] == "held")
    return held["limits"]


def set_limits(service: Service, **limits: Any) -> None:
    assert service.client.put("/types/held/limits", json=limits).status_code == 200


def reasons(service: Service, *ids: int) -> set[str | None]:
    """What these tasks wait for; None for those that do not."""
    return {service.view(id)["waiting_for"] for id in ids}


def restart(service: Service) -> None:
    """Stop all processes in order, and start as many."""
    for process in service.processes:
        process.terminate()
    for process in service.processes:
        process.wait(15)
    for name in ("http", "handler", "handler"):
        service.start(name)
    service.await_ready("held")


def test_a_declared_limit_holds_over_handlers_until_it_is_raised(service: Service, tmp_path: Path):
    ids = [service.submit("held", {"path": str(tmp_path / "door")})["id"] for _ in range(4)]
    eventually(lambda: limits(service)["running"] == 2)
    eventually(lambda: reasons(service, *ids) == {None, "limit"})
    set_limits(service, at_once=3)
    eventually(lambda: limits(service)["running"] == 3)
    set_limits(service, at_once=None)
    eventually(lambda: reasons(service, *ids) == {None})
    (tmp_path / "door").touch()
    for id in ids:
        service.await_status(id, "done")


def test_a_pause_stands_across_a_restart_of_everything(service: Service):
    set_limits(service, paused=True)
    id = service.submit("held")["id"]
    assert reasons(service, id) == {"paused"}
    restart(service)
    assert limits(service)["override"] == {"paused": True}
    assert reasons(service, id) == {"paused"}
    assert service.client.delete("/types/held/limits").status_code == 200
    service.await_status(id, "done")


def test_a_closed_type_stays_closed_across_a_restart_of_everything(service: Service):
    set_limits(service, accepting=False)
    restart(service)
    answer = service.client.post("/task/new/held", json={})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    set_limits(service, accepting=True)
    assert service.run("held")["status"] == "done"


@needs_pgbouncer
def test_behind_a_pooler_limits_take_effect_within_moments(pooled_service: Service, tmp_path: Path):
    service = pooled_service
    set_limits(service, paused=True)
    ids = [service.submit("held", {"path": str(tmp_path / "door")})["id"] for _ in range(4)]
    eventually(lambda: reasons(service, *ids) == {"paused"})
    assert limits(service)["running"] == 0
    for at_once in (1, 3):
        set_limits(service, at_once=at_once)
        began = time.monotonic()
        eventually(lambda number=at_once: limits(service)["running"] == number)  # type: ignore[misc]
        # A second for handlers to look again, and one for the API, on a busy machine.
        assert time.monotonic() - began < MAX_EFFECT_SECONDS + 1.5
    (tmp_path / "door").touch()
    for id in ids:
        service.await_status(id, "done")
