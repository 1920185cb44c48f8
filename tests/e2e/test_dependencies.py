"""Tasks that wait for others, through real processes."""

import random
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


def test_a_big_result_is_read_once_for_all_tasks_that_refer_to_it(service: Service):
    points = [random.random() for _ in range(30_000)]
    big = {"ref": "big", "type": "echo", "args": {"points": points, "exact": 10**30}}
    parent, first = submit(service, big, referring("big"))
    shown = {"last": points[-1], "n": [10**30]}
    done = service.await_status(first, "done", "failed")
    assert (done["result"], done["args"]["n"]) == (shown, [{"$result": parent, "path": "$['exact']"}])
    with closing(Database(service.environment["DATABASE_URL"])) as database, database.engine.begin() as connection:
        # A result that is read again would be this one. No request changes the result of a task that is done.
        connection.execute(text(f"UPDATE tasks SET result = :other WHERE id = {parent}"), {"other": OTHER})
    children = submit(service, *[referring(parent)] * 100)
    assert [service.await_status(child, "done", "failed")["result"] for child in children] == [shown] * 100


def test_a_result_without_such_a_place_fails_the_task_that_refers_to_it(service: Service):
    item = {"type": "echo", "args": {"a": [{"$result": "n", "path": "$.none"}]}, "references": True}
    parent, child = submit(service, {"ref": "n", "type": "echo", "args": {"n": 1}}, item)
    assert service.await_status(child, "done", "failed")["error"] == {
        "type": "MissingResult",
        "message": f"the argument $.a.0 refers to $.none of task {parent}, which has a result without such a place",
        "attempt": 1,
    }


def referring(task: int | str) -> dict[str, Any]:
    """Make an item whose arguments are parts of the result of a task."""
    last, exact = {"$result": task, "path": "$.points[-1]"}, {"$result": task, "path": "$['exact']"}
    return {"type": "echo", "args": {"last": last, "n": [exact]}, "references": True}


OTHER = '{"points":[0],"exact":0}'
UNDERGROUND = {"dt": 0.1, "r0": [0, 0, -1], "v0": [0, 0, 0], "mass": 1, "radius": 1}
