"""References to results over HTTP: in one task, in many and in batches, and what is refused."""

from typing import Any

import pytest

from tests.unit.http_service import Service
from tests.unit.test_http_dependencies import errors, many, post

SCHEMA = """{"type": "object", "required": ["a"], "additionalProperties": false, "properties": {
    "a": {"type": "number"}, "b": {"type": "array", "items": {"type": "number"}, "maxItems": 2},
    "c": {"anyOf": [{"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number"}}},
        {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string"}}}]}}}"""
FROM_1 = {"a": {"$result": 1}}


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("typed", SCHEMA)
    return service


class TestOne:
    def test_a_task_waits_for_the_tasks_to_whose_results_it_refers(self, service: Service):
        for _ in range(3):
            service.submit({})
        args = {"a": {"$result": 1, "path": "$.x"}, "b": [{"c": {"$result": 2}}]}
        task = post(service, "/task/new?after=3&references=true", args).get_json()
        assert (task["args"], task["after"], task["waiting_for"]) == (args, [1, 2, 3], "tasks")
        assert service.view(4)["a"] == args["a"]

    def test_without_the_parameter_it_is_an_argument_like_any_other(self, service: Service):
        for query in ("", "?references=false"):
            task = post(service, f"/task/new{query}", {"a": {"$result": 77, "path": 5}}).get_json()
            assert (task["args"], "after" in task) == ({"a": {"$result": 77, "path": 5}}, False)

    def test_an_unknown_task_and_a_wrong_reference_are_named_by_their_places(self, service: Service):
        service.submit({})
        args = {"a": [{"$result": 1}, {"$result": 77}]}
        assert errors(post(service, "/task/new?references=true", args)) == {
            "json": {"$.a.1": ["task id 77 is not registered"]}
        }
        assert errors(post(service, "/task/new?references=true", {"a": {"$result": "b"}})) == {
            "json": {"$.a.$result": ["it must be the id of a task"]}
        }
        assert errors(post(service, "/task/new?references=maybe", {})).keys() == {"query"}
        assert service.client.get("/task/2").status_code == 404

    def test_a_reference_needs_the_result(self, service: Service):
        service.submit({})
        found = errors(post(service, "/task/new?references=true&if_failed=run", FROM_1))
        assert found == {
            "query": {"if_failed": ["Must be fail where arguments refer to results, which must be there."]}
        }
        assert post(service, "/task/new?references=true&if_failed=fail", FROM_1).status_code == 201

    def test_a_key_stands_for_the_references_too(self, service: Service):
        service.submit({})
        key = {"Idempotency-Key": "k"}
        assert post(service, "/task/new?references=true", FROM_1, **key).status_code == 201
        assert post(service, "/task/new?references=true", FROM_1, **key).get_json()["id"] == 2
        assert post(service, "/task/new?after=1", FROM_1, **key).status_code == 422
        assert post(service, "/task/new", FROM_1, **key).status_code == 422

    def test_a_task_that_runs_it_again_refers_to_the_same_results(self, service: Service):
        service.submit({})
        post(service, "/task/new?references=true", FROM_1)
        service.client.post("/dashboard/task/2/again", data={})
        assert service.view(3)["after"] == [1]


class TestSchema:
    def submit(self, service: Service, args: dict[str, Any]) -> Any:
        service.submit({})
        return post(service, "/task/new/typed?references=true", args)

    @pytest.mark.parametrize(
        "args",
        [
            FROM_1,
            {"a": 1, "b": {"$result": 1}},
            {"a": 1, "b": [1, {"$result": 1}]},
            {"a": 1, "c": {"x": {"$result": 1}, "y": "text"}},
            {"a": 1, "c": {"$result": 1}},
        ],
    )
    def test_a_reference_agrees_with_anything(self, service: Service, args: dict[str, Any]):
        assert self.submit(service, args).status_code == 201

    def test_all_else_is_checked(self, service: Service):
        assert errors(self.submit(service, {"b": ["x", {"$result": 1}], "d": {"$result": 1}})) == {
            "json": {"$.a": ["is required"], "$.b.0": ['it is not of type "number"'], "$.d": ["is not expected here"]}
        }


class TestMany:
    def test_names_are_shown_as_ids_in_the_arguments(self, service: Service):
        service.submit({})
        args = {"x": {"$result": "b", "path": "$['b']"}, "y": [{"$result": 1}, {"$result": "c"}], "z": "b"}
        (first, second, third) = many(
            service, {"args": args, "references": True}, {"ref": "b"}, {"ref": "c", "references": True}
        ).get_json()["ids"]
        task = service.view(first)
        shown = {"x": {"$result": second, "path": "$['b']"}, "y": [{"$result": 1}, {"$result": third}], "z": "b"}
        assert (task["args"], task["after"]) == (shown, [1, second, third])

    def test_without_the_member_it_is_an_argument_like_any_other(self, service: Service):
        (first, _) = many(service, {"args": {"x": {"$result": "b"}}}, {"ref": "b"}).get_json()["ids"]
        assert service.view(first)["args"] == {"x": {"$result": "b"}}

    def test_what_is_unknown_or_wrong_is_named_by_its_place(self, service: Service):
        def refused(*items: dict[str, Any]) -> Any:
            return errors(many(service, *items))["json"]

        assert refused({"args": {"x": [{"$result": "b"}]}, "references": True}) == {
            "$.0.args.x.0": ["no item has the ref b"]
        }
        assert refused({"ref": "b"}, {"args": {"x": [{"$result": 77}]}, "references": True}) == {
            "$.1.args.x.0": ["task id 77 is not registered"]
        }
        assert [*refused({"args": {"x": {"$result": 1, "path": "x"}}, "references": True})] == ["$.0.args.x.path"]
        assert refused({"args": {}, "references": 1}).keys() == {"$.0.references"}
        assert refused({"ref": "b"}, {"args": {"x": {"$result": "b"}}, "references": True, "if_failed": "run"}) == {
            "$.1.if_failed": ["it must be fail where arguments refer to results, which must be there"]
        }
        assert service.client.get("/tasks").get_json()["tasks"] == []

    def test_a_circle_by_way_of_references_is_refused(self, service: Service):
        found = errors(
            many(
                service,
                {"ref": "a", "args": {"x": {"$result": "b"}}, "references": True},
                {"ref": "b", "after": ["a"]},
            )
        )
        assert found == {"json": {"$.0.args.x": ["is part of a circle: a waits for b waits for a"]}}

    def test_a_request_has_a_bound_for_references_too(self, service: Service, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("application.references.MAX_DEPENDENCIES", 1)
        args = {"x": [{"$result": "a"}, {"$result": "a"}]}
        found = errors(many(service, {"ref": "a"}, {"args": args, "references": True}))
        assert found == {"json": {"$.1.after": ["has more than the 1 that a request may have"]}}

    def test_the_same_request_again_finds_its_tasks(self, service: Service):
        items: list[dict[str, Any]] = [{"args": {"x": {"$result": "b"}}, "references": True}, {"ref": "b"}]
        first = many(service, *items, **{"Idempotency-Key": "k"})
        again = many(service, *items, **{"Idempotency-Key": "k"})
        assert (first.status_code, again.status_code, again.get_json()) == (201, 200, first.get_json())
        without: list[dict[str, Any]] = [{"args": {"x": {"$result": "b"}}, "after": ["b"]}, {"ref": "b"}]
        assert many(service, *without, **{"Idempotency-Key": "k"}).status_code == 422


class TestBatches:
    def test_tasks_of_a_batch_refer_to_each_other(self, service: Service):
        tasks: list[dict[str, Any]] = [{"ref": "a"}, {"args": {"x": {"$result": "a"}}, "references": True}]
        body = {"tasks": tasks, "open": True}
        first, second = post(service, "/batches", body, **{"Idempotency-Key": "k"}).get_json()["ids"]
        assert (service.view(second)["args"], service.view(second)["after"]) == ({"x": {"$result": first}}, [first])
        assert post(service, "/batches", body, **{"Idempotency-Key": "k"}).get_json()["ids"] == [first, second]
        other = body | {"tasks": [tasks[0], {"args": tasks[1]["args"], "after": ["a"]}]}
        assert post(service, "/batches", other, **{"Idempotency-Key": "k"}).status_code == 422
        more = [{"args": {"x": {"$result": second}}, "references": True}]
        (third,) = post(service, "/batches/1/tasks", more).get_json()["ids"]
        assert service.view(third)["after"] == [second]

    def test_the_task_that_follows_a_batch_refers_to_none(self, service: Service):
        answer = post(service, "/batches", {"then": {"args": {"x": {"$result": 1}}, "references": True}})
        assert errors(answer) == {"json": {"$.then.references": ["is not expected here"]}}

    def test_a_task_does_not_refer_to_what_follows_its_batch(self, service: Service):
        batch = post(service, "/batches", {"open": True, "then": {}}).get_json()
        more = [{"args": {"x": {"$result": batch["then"]}}, "references": True}]
        found = errors(post(service, "/batches/1/tasks", more))
        assert found == {"json": {"$.0.after": [f"task {batch['then']} waits for the end of this batch"]}}
