"""The service end to end: real processes, over HTTP."""

import time
from pathlib import Path

import pytest

from tests.e2e.service import Service, eventually


def test_the_seeds_first_example_is_answered_with_a_waiting_task(service: Service):
    answer = service.client.post("/task/new", json={"required_arg": "test"})
    task = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/task/{task['id']}/view")
    assert (
        task | {"type": "default", "status": "waiting", "args": {"required_arg": "test"}, "required_arg": "test"}
        == task
    )
    assert task["expire"] == task["created"] + 86_400


def test_a_submitted_task_is_soon_done(service: Service):
    task = service.run("default", {"required_arg": "test"})
    assert task["status"] == "done"
    assert "message" in task["result"]
    assert task["attempt"] == 1
    assert task["created"] <= task["started"] <= task["finished"]


@pytest.mark.parametrize(
    "args",
    [
        {"z": 1, "a": 2, "id": 7, "nul": "\0", "emoji": "😀", "list": [None, True, -0.0, 1e-320]},
        {"big": 10**4299},
        {"deep": [[[[[[[[{"a": []}]]]]]]]]},
    ],
)
def test_arguments_and_results_come_back_as_they_went_in(service: Service, args: dict):
    task = service.run("echo", args)
    assert task["status"] == "done"
    assert list(task["args"].items()) == list(args.items())
    assert list(task["result"].items()) == list(args.items())
    assert task["id"] != 7


def test_mov3d_is_done_with_and_without_drag(service: Service):
    body = {"dt": 0.01, "r0": [0, 0, 10], "v0": [0, 0, 0], "mass": 1, "radius": 0.1}
    assert service.run("mov3d", body)["status"] == "done"
    assert service.run("mov3d", body | {"drag": True})["status"] == "done"


def test_arguments_that_do_not_fit_are_refused_by_name(service: Service):
    answer = service.client.post("/task/new/mov3d", json={"dt": "small"})
    assert answer.status_code == 422
    assert "dt" in answer.text
    assert "mass" in answer.text


def test_an_unknown_type_is_refused_with_the_known_ones_named(service: Service):
    answer = service.client.post("/task/new/nobody", json={})
    assert answer.status_code == 404
    assert "echo" in answer.json()["message"]


def test_a_result_without_a_json_form_fails_its_task_alone(service: Service):
    task = service.run("unkept")
    assert task["status"] == "failed"
    assert "a.1" in task["error"]["message"]
    assert "set" in task["error"]["message"]
    assert service.run("echo")["status"] == "done"


def test_a_task_that_kills_its_process_fails_alone(service: Service):
    poison = service.submit("poison", max_attempts=2)
    others = [service.submit("echo") for _ in range(20)]
    for other in others:
        assert service.await_status(other["id"], "done")["attempt"] == 1
    failed = service.await_status(poison["id"], "failed")
    assert failed["attempt"] == 2
    assert "3" in failed["error"]["message"]


def test_progress_shows_within_a_second(service: Service):
    id = service.submit("reporting")["id"]
    service.await_status(id, "running")
    eventually(lambda: service.view(id)["progress"] == {"value": 0.4, "message": "reading"}, within=1.5)
    assert service.view(id)["started"] is not None
    service.client.post(f"/task/{id}/cancel")


def test_a_running_task_that_is_cancelled_is_stopped_and_stays_cancelled(service: Service, tmp_path: Path):
    mark = tmp_path / "mark"
    id = service.submit("slow", {"seconds": 2.5, "mark": str(mark)})["id"]
    eventually(lambda: mark.exists() and mark.read_text())
    answer = service.client.post(f"/task/{id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert service.client.post(f"/task/{id}/cancel").status_code == 200
    blocker = [service.submit("slow", {"seconds": 1.5}) for _ in range(4)]
    for each in blocker:
        service.await_status(each["id"], "done")
    assert mark.read_text() == "start\n"
    assert service.view(id)["status"] == "cancelled"


def test_a_cancelled_run_ends_within_a_second(service: Service, tmp_path: Path):
    mark = tmp_path / "mark"
    id = service.submit("beating", {"mark": str(mark)})["id"]
    eventually(lambda: mark.exists() and mark.read_text())
    service.client.post(f"/task/{id}/cancel")
    eventually(lambda: has_stopped(mark), within=1.5)


def has_stopped(mark: Path) -> bool:
    before = mark.read_text()
    time.sleep(0.2)
    return mark.read_text() == before


def test_a_task_that_takes_too_long_is_ended_with_a_timeout(service: Service):
    task = service.run("slow", {"seconds": 60}, timeout=0.3)
    assert task["status"] == "failed"
    assert task["error"]["type"] == "TimeoutError"
    assert "0.3" in task["error"]["message"]


def test_a_function_that_asks_for_another_start_gets_it(service: Service, tmp_path: Path):
    task = service.run("flaky", {"mark": str(tmp_path / "mark")})
    assert (task["status"], task["result"], task["attempt"]) == ("done", "at last", 3)


@pytest.mark.parametrize("type", ["hopeless", "picky"])
def test_a_failure_that_is_not_retriable_is_final_at_once(service: Service, type: str):
    task = service.run(type)
    assert (task["status"], task["attempt"]) == ("failed", 1)


def test_a_failed_task_can_be_retried_under_its_id(service: Service):
    id = service.run("picky")["id"]
    answer = service.client.post(f"/task/{id}/retry")
    assert (answer.status_code, answer.json()["status"]) == (200, "waiting")
    assert service.await_status(id, "failed")["attempt"] == 2
    assert service.client.post(f"/task/{service.run('echo')['id']}/retry").status_code == 409


def test_an_async_function_works(service: Service):
    assert service.run("asynchronous", {"a": 1})["result"] == 2


def test_a_delayed_task_starts_when_it_is_due_and_once(service: Service, tmp_path: Path):
    mark = tmp_path / "mark"
    waiting = service.submit("slow", {"seconds": 0, "mark": str(mark)}, delay=1)
    assert waiting["waiting_for"] == "run_at"
    done = service.await_status(waiting["id"], "done")
    assert done["started"] >= waiting["run_at"]
    assert mark.read_text() == "start\nend\n"


def test_a_deleted_task_is_404(service: Service):
    id = service.run("echo")["id"]
    assert service.client.delete(f"/task/{id}").status_code == 204
    assert service.client.get(f"/task/{id}/view").json()["message"] == f"task id {id} is not registered"


def test_an_expired_task_is_deleted_by_the_janitor(service: Service):
    id = service.run("echo", ttl=1)["id"]
    eventually(lambda: service.client.get(f"/task/{id}").status_code == 404)


def test_a_thousand_tasks_are_each_done_once(service: Service):
    ids = [service.submit("add", {"a": n, "b": 1})["id"] for n in range(1000)]
    tasks = [service.await_status(id, "done") for id in ids]
    assert [task["result"] for task in tasks] == [n + 1 for n in range(1000)]
    assert {task["attempt"] for task in tasks} == {1}
