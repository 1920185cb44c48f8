"""A primary that is demoted and lives on: all processes go to the new one by themselves."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.service import Service, eventually
from tests.replicas import Replica, Replicas

FUNCTIONS = str(ROOT / "tests" / "e2e" / "functions.py")
FEW_SECONDS = 5.0
READY, AWAY = (200, 201), (503, 503)
SESSIONS = "SELECT query FROM pg_stat_activity WHERE application_name = 'flask-tasks'"
EXPIRE = "UPDATE tasks SET expire = now() - interval '1 s' WHERE id = {} AND status = 'done'"


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[Replicas]:
    (tmp_path / "servers").mkdir()
    with closing(Replicas(tmp_path / "servers")) as replicas:
        yield replicas


@pytest.fixture
def service(replicas: Replicas, tmp_path: Path) -> Iterator[Service]:
    service = Service(replicas.url, tmp_path, TASKS=FUNCTIONS)
    try:
        for name in ("http", "handler", "janitor"):
            service.start(name)
        service.await_ready("slow", "echo")
        yield service
    finally:
        service.stop()


def ids(server: Replica) -> set[int]:
    return {id for (id,) in server.asked("SELECT id FROM tasks")}


def answers(service: Service) -> tuple[int | None, int]:
    """The answers to the question whether it is ready, and to a submission."""
    ready = service.status("/health/ready")
    return ready, service.client.post("/task/new/echo", json={}).status_code


@pytest.mark.parametrize("demote", [Replicas.demote_while_it_runs, Replicas.demote_by_restart])
def test_all_processes_leave_a_demoted_primary_by_themselves(
    replicas: Replicas, service: Service, demote: Callable[[Replicas], None]
):
    old, new = replicas.primary, replicas.standby
    assert answers(service) == READY
    done = service.run("echo")["id"]
    long = service.submit("slow", {"seconds": 12})["id"]
    service.await_status(long, "running")
    replicas.await_standby()
    with ThreadPoolExecutor() as threads:
        awaited = threads.submit(service.client.get, f"/task/{long}/view?wait=40", timeout=60)
        demote(replicas)
        for _ in range(8):
            assert answers(service) == AWAY
            time.sleep(0.3)
        new.promote()
        eventually(lambda: answers(service) == READY, within=FEW_SECONDS)
        assert [answers(service) for _ in range(5)] == [READY] * 5
        service.await_status(service.submit("echo")["id"], "done", within=FEW_SECONDS)
        new.asked(EXPIRE.format(done))
        eventually(lambda: done not in ids(new), within=FEW_SECONDS)
        eventually(lambda: not old.asked(SESSIONS), within=3 * FEW_SECONDS)
        ended = awaited.result().json()
    assert (ended["status"], ended["attempt"]) == ("done", 1)
    assert new.asked(f"SELECT claims, losses FROM tasks WHERE id = {long}") == [(1, 0)]
    assert [each.poll() for each in service.processes] == [None] * 3
