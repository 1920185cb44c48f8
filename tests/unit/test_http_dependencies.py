"""Tasks that wait for others, over HTTP: `after` of one task and of many, and what is refused."""

import json
from typing import Any

import pytest

from tests.unit.http_service import Service


@pytest.fixture
def service() -> Service:
    return Service()


def post(service: Service, path: str, body: Any = None, **headers: str) -> Any:
    return service.client.post(
        path, data=json.dumps({} if body is None else body), content_type="application/json", headers=headers
    )


def many(service: Service, *items: dict[str, Any], **headers: str) -> Any:
    return post(service, "/tasks", items, **headers)


def errors(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 422, answer.text
    return answer.get_json()["errors"]


class TestOne:
    def test_a_task_after_another_waits_for_tasks_and_names_them(self, service: Service):
        service.submit({})
        service.submit({})
        task = post(service, "/task/new?after=2,1").get_json()
        assert (task["status"], task["waiting_for"], task["after"]) == ("waiting", "tasks", [1, 2])
        assert (task["run_at"], task["expire"]) == (None, None)
        assert service.view(3) == task

    def test_a_task_that_waits_for_none_has_no_such_field(self, service: Service):
        assert "after" not in service.submit({})
        assert service.submit({"after": "an argument"})["after"] == "an argument"

    def test_the_field_stands_before_an_argument_of_its_name(self, service: Service):
        service.submit({})
        task = post(service, "/task/new?after=1", {"after": "an argument"}).get_json()
        assert (task["after"], task["args"]) == ([1], {"after": "an argument"})

    def test_a_task_after_one_that_has_ended_is_due_at_once(self, service: Service):
        service.submit({})
        service.succeed("1")
        task = post(service, "/task/new?after=1").get_json()
        assert task["waiting_for"] == "no_handler_for_type"
        assert task["run_at"] is not None

    def test_a_task_after_one_that_has_failed_has_failed_itself(self, service: Service):
        service.submit({})
        service.fail()
        task = post(service, "/task/new?after=1").get_json()
        assert task["error"] == {"type": "ParentFailed", "message": "task 1 has failed", "attempt": 0}
        assert post(service, "/task/new?after=1&if_failed=run").get_json()["status"] == "waiting"

    def test_a_cancelled_task_fails_those_that_wait_for_it_before_it_answers(self, service: Service):
        service.submit({})
        post(service, "/task/new?after=1")
        post(service, "/task/1/cancel")
        assert service.view(2)["error"]["message"] == "task 1 was cancelled"
        post(service, "/task/1/retry")
        assert service.view(2)["waiting_for"] == "tasks"
        service.client.delete("/task/1")
        assert service.view(2)["error"]["message"] == "task 1 was deleted or has expired"

    def test_many_changes_reach_those_that_wait(self, service: Service):
        service.submit({})
        post(service, "/task/new?after=1")
        post(service, "/tasks/cancel?ids=1")
        assert service.view(2)["status"] == "failed"
        post(service, "/tasks/retry?ids=1")
        assert service.view(2)["status"] == "waiting"
        post(service, "/tasks/delete?ids=1")
        assert service.view(2)["status"] == "failed"

    def test_an_unknown_task_is_refused_and_nothing_is_stored(self, service: Service):
        service.submit({})
        assert errors(post(service, "/task/new?after=1,77")) == {"query": {"after": ["task id 77 is not registered"]}}
        assert service.client.get("/task/2").status_code == 404

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            *(("after=", "after"), ("after=1,", "after"), ("after=a", "after"), ("after=0", "after")),
            *(("after=1&if_failed=wait", "if_failed"), ("if_failed=run", "if_failed")),
        ],
    )
    def test_a_query_that_makes_no_sense_is_refused(self, service: Service, query: str, name: str):
        service.submit({})
        assert [*errors(post(service, f"/task/new?{query}"))["query"]] == [name]

    def test_a_key_stands_for_the_parents_too(self, service: Service):
        for _ in range(2):
            service.submit({})
        key = {"Idempotency-Key": "k"}
        assert post(service, "/task/new?after=1", **key).status_code == 201
        assert post(service, "/task/new?after=1", **key).get_json()["id"] == 3
        assert post(service, "/task/new?after=2", **key).status_code == 422
        assert post(service, "/task/new?after=1&if_failed=run", **key).status_code == 422
        assert post(service, "/task/new", **key).status_code == 422


class TestMany:
    def test_items_wait_for_each_other_in_any_order_and_for_other_tasks(self, service: Service):
        service.submit({})
        ids = many(service, {"after": ["b", "c", 1]}, {"ref": "b", "after": ["c"]}, {"ref": "c"}).get_json()["ids"]
        assert ids == [2, 3, 4]
        assert [service.view(id).get("after") for id in ids] == [[1, 3, 4], [4], None]
        service.succeed("1")
        service.succeed("1")
        service.container.unblock_tasks().all()
        assert [service.view(id)["waiting_for"] == "tasks" for id in ids] == [True, False, False]

    def test_an_unknown_name_and_an_unknown_id_are_named_by_their_places(self, service: Service):
        assert errors(many(service, {"ref": "a"}, {"after": ["a", "b"]})) == {
            "json": {"$.1.after.1": ["no item has the ref b"]}
        }
        assert errors(many(service, {"ref": "a"}, {"after": ["a", 77]})) == {
            "json": {"$.1.after": ["task id 77 is not registered"]}
        }
        assert service.client.get("/tasks").get_json()["tasks"] == []

    def test_a_name_that_is_given_twice_is_refused(self, service: Service):
        answer = many(service, {"ref": "a"}, {"ref": "a"})
        assert errors(answer) == {"json": {"$.1.ref": ["item 0 has this ref"]}}

    def test_a_circle_is_refused_with_its_names(self, service: Service):
        items = [{"ref": "a", "after": ["b"]}, {"ref": "b", "after": ["c"]}, {"ref": "c", "after": ["a"]}]
        found = errors(many(service, {"after": ["a"]}, *items))
        assert found == {"json": {"$.1.after": ["is part of a circle: a waits for b waits for c waits for a"]}}
        assert [*errors(many(service, {"ref": "a", "after": ["a"]}))["json"]] == ["$.0.after"]

    def test_a_request_has_a_bound_for_all_that_its_items_wait_for(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("application.references.MAX_DEPENDENCIES", 3)
        items: list[dict[str, Any]] = [{"ref": "a"}, {"ref": "b"}, {"after": ["a", "b"]}, {"after": ["a"]}]
        assert many(service, *items).status_code == 201
        found = errors(many(service, *items, {"after": ["a"]}))
        assert found == {"json": {"$.4.after": ["has more than the 3 that a request may have"]}}

    def test_a_chain_of_three_thousand_is_no_circle(self, service: Service):
        items: list[dict[str, Any]] = [{"ref": str(n), "after": [str(n + 1)]} for n in range(3_000)]
        assert many(service, *items, {"ref": "3000"}).status_code == 201

    @pytest.mark.parametrize(
        ("item", "path"),
        [
            *(({"after": [0]}, "$.0.after.0"), ({"after": "a"}, "$.0.after"), ({"ref": ""}, "$.0.ref")),
            *(({"if_failed": "run"}, "$.0.if_failed"), ({"after": [1], "if_failed": "no"}, "$.0.if_failed")),
        ],
    )
    def test_an_item_that_makes_no_sense_is_refused(self, service: Service, item: dict[str, Any], path: str):
        assert [*errors(many(service, item))["json"]] == [path]

    def test_a_request_with_a_key_may_be_sent_twice_under_other_names(self, service: Service):
        key = {"Idempotency-Key": "k"}
        first = many(service, {"ref": "a"}, {"after": ["a"]}, **key)
        again = many(service, {"ref": "b"}, {"after": ["b"]}, **key)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.get_json() == again.get_json()
        assert many(service, {"ref": "a"}, {"after": []}, **key).status_code == 422
