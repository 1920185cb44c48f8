"""Tasks that wait for others, through real processes."""

import time
from contextlib import closing
from typing import Any

from sqlalchemy import text

from adapters.postgres import Database
from tests.e2e.service import Service

MAX_UNBLOCK_SECONDS = 2.0


def submit(service: Service, *items: dict[str, Any]) -> list[int]:
    answer = service.client.post("/tasks", json=items)
    assert answer.status_code == 201, answer.text
    ids: list[int] = answer.json()["ids"]
    return ids


def test_a_graph_runs_in_its_order_and_what_fails_takes_along_what_minds(service: Service):
    *_, last, failed, minds_not = submit(
        service,
        {"ref": "first", "type": "echo", "args": {"n": 1}},
        *({"ref": f"{n}", "type": "echo", "after": ["first"]} for n in range(20)),
        {"ref": "broken", "type": "mov3d", "args": UNDERGROUND, "after": ["first"]},
        {"type": "echo", "after": [str(n) for n in range(20)]},
        {"type": "echo", "after": ["broken"]},
        {"type": "echo", "after": ["broken", "first"], "if_failed": "run"},
    )
    assert service.await_status(last, "done", "failed")["status"] == "done"
    assert service.await_status(failed, "done", "failed")["error"]["type"] == "ParentFailed"
    done = service.await_status(minds_not, "done", "failed")
    assert done["status"] == "done"
    assert done["started"] >= max(service.view(id)["finished"] for id in done["after"])


def test_whatever_ends_a_task_those_after_it_run_within_two_seconds(service: Service):
    (parent,) = submit(service, {"type": "echo", "delay": 3600})
    (child,) = submit(service, {"type": "echo", "after": [parent], "if_failed": "run"})
    with closing(Database(service.environment["DATABASE_URL"])) as database, database.engine.begin() as connection:
        connection.execute(text(f"DELETE FROM tasks WHERE id = {parent}"))
    began = time.monotonic()
    assert service.await_status(child, "done", "failed")["status"] == "done"
    assert time.monotonic() - began < MAX_UNBLOCK_SECONDS


UNDERGROUND = {"dt": 0.1, "r0": [0, 0, -1], "v0": [0, 0, 0], "mass": 1, "radius": 1}
