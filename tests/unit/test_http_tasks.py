"""Tasks over HTTP: submit, view, change and list."""

import json
from typing import Any

import jsonschema_rs
import pytest

from application.ports.queue import ProgressReport
from domain.failure import Failure
from domain.progress import Progress
from domain.schedule import Schedule
from domain.settlement import Settlement
from entrypoints.http.openapi.schemas import SCHEMAS
from entrypoints.task_json import FIELDS
from tests import steps
from tests.recurring import Recurring, recurring
from tests.storage import in_memory
from tests.unit.http_service import Service, configured

NOW = 1767268800  # 2026-01-01 12:00 UTC, the time of the manual clock


@pytest.fixture
def service() -> Service:
    return Service()


def test_submit_answers_with_the_whole_task_and_its_location(service: Service) -> None:
    answer = service.client.post("/task/new", json={"required_arg": "test"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/task/1/view"
    assert answer.content_type == "application/json"
    assert answer.get_json() == {
        "id": 1,
        "type": "default",
        "status": "waiting",
        "args": {"required_arg": "test"},
        "required_arg": "test",
        "result": None,
        "error": None,
        "progress": None,
        "created": NOW,
        "expire": NOW + 86_400,
        "run_at": NOW,
        "started": None,
        "finished": None,
        "attempt": 0,
        "max_attempts": 1,
        "priority": 0,
        "handler": None,
        "waiting_for": "no_handler_for_type",
    }


def test_fields_are_in_the_order_of_the_contract_with_the_arguments_after_args(service: Service) -> None:
    submitted = service.submit({"b": 1, "a": 2})
    fields = list(FIELDS)
    after_args = fields.index("args") + 1
    assert list(submitted) == [*fields[:after_args], "b", "a", *fields[after_args:]]


def test_both_view_paths_show_the_same_task_as_submit(service: Service) -> None:
    submitted = service.submit({"a": [1, {"b": None}]})
    assert service.view() == submitted
    assert service.client.get("/task/1").get_json() == submitted


def test_an_argument_named_like_a_field_is_in_args_only(service: Service) -> None:
    args = {name: f"mine {name}" for name in FIELDS} | {"mine": 1}
    submitted = service.submit(args)
    assert submitted["args"] == args
    assert (submitted["id"], submitted["status"], submitted["mine"]) == (1, "waiting", 1)
    assert list(submitted).count("mine") == 1


def test_an_argument_that_contains_a_field_name_is_at_the_top_level(service: Service) -> None:
    args = {"deep": {"id": 7}, "text": 'say "id": twice', "idle": 1}
    assert service.submit(args).items() >= args.items()


def test_a_task_without_arguments_has_its_fields_only(service: Service) -> None:
    assert list(service.submit({})) == list(FIELDS)


def test_a_waiting_task_shows_what_it_waits_for(service: Service) -> None:
    service.publish("default")
    assert service.submit({})["waiting_for"] == "handler"
    assert service.submit({}, "/task/new?delay=9")["waiting_for"] == "run_at"


def test_a_running_task_shows_its_handler_and_its_progress(service: Service) -> None:
    service.submit({})
    task = service.claim()
    started = service.clock.now()
    steps.report(service.storage, ProgressReport(task.hold, started, Progress(0.4, 'reading "x"')))
    seen = service.view()
    assert (seen["status"], seen["handler"], seen["attempt"]) == ("running", "handler-1", 1)
    assert (seen["started"], seen["waiting_for"]) == (NOW, None)
    assert seen["progress"] == {"value": 0.4, "message": 'reading "x"'}


def test_times_have_milliseconds_and_are_never_rounded_up(service: Service) -> None:
    service.clock.move(0.123999)
    service.submit({})
    service.clock.move(0.8)
    service.succeed("1")
    seen = service.view()
    assert (seen["created"], seen["run_at"], seen["finished"]) == (NOW, NOW + 0.123, NOW + 0.923)
    assert b'"run_at":%d.123,' % NOW in service.client.get("/task/1").data


def test_a_done_task_shows_its_result(service: Service) -> None:
    service.submit({})
    service.succeed('{"message":"käse \\u0000"}')
    seen = service.view()
    assert (seen["status"], seen["result"], seen["handler"]) == ("done", {"message": "käse \0"}, None)


def test_a_failed_task_shows_its_error(service: Service) -> None:
    service.submit({})
    steps.settle(
        service.storage,
        Settlement.failed(service.claim(), service.clock.now(), Failure("ValueError", 'no "x"'), steps.PLAIN, 0),
    )
    seen = service.view()
    assert (seen["status"], seen["result"]) == ("failed", None)
    assert seen["error"] == {"type": "ValueError", "message": 'no "x"', "attempt": 1}


@pytest.mark.parametrize(
    "id",
    [
        "7",
        "0",
        "-1",
        "01",
        "1.0",
        "9" * 18,
        str(2**63),
        "9" * 5000,
        "a",
        "news",
        "%00",
        "%FF",
        "1%0A",
        "٣",
        "1e3",
        " 1",
    ],
)
@pytest.mark.parametrize("path", ["/task/{}/view", "/task/{}", "/task/{}/log"])
def test_an_unknown_or_impossible_id_is_not_registered(service: Service, id: str, path: str) -> None:
    service.submit({})
    answer = service.client.get(path.format(id))
    assert answer.status_code == 404
    assert answer.get_json()["message"].startswith("task id ")
    assert answer.get_json()["message"].endswith(" is not registered")


def test_new_is_not_an_id(service: Service) -> None:
    assert service.client.get("/task/new/view").get_json()["message"] == "task id new is not registered"


def test_an_unknown_id_is_404_with_the_id_in_the_message(service: Service) -> None:
    assert service.client.get("/task/7/view").get_json() == {
        "code": 404,
        "status": "Not Found",
        "message": "task id 7 is not registered",
    }


class TestOptions:
    def test_a_delay_counts_from_now(self, service: Service) -> None:
        task = service.submit({}, "/task/new?delay=2.5")
        assert (task["created"], task["run_at"], task["expire"]) == (NOW, NOW + 2.5, NOW + 2 + 86_400)

    def test_run_at_is_in_unix_seconds(self, service: Service) -> None:
        assert service.submit({}, f"/task/new?run_at={NOW + 60}.25")["run_at"] == NOW + 60.25

    def test_all_options_reach_the_task(self, service: Service) -> None:
        path = "/task/new?priority=-7&max_attempts=3&max_losses=0&timeout=1.5e1&ttl=60"
        task = service.submit({}, path)
        assert (task["priority"], task["max_attempts"], task["expire"]) == (-7, 3, NOW + 60)
        kept = steps.task(service.storage, 1)
        assert (kept.max_losses, kept.timeout) == (0, 15)

    def test_missing_options_come_from_the_type(self, service: Service) -> None:
        service.publish("add", priority=5, max_attempts=4)
        task = service.submit({}, "/task/new/add?priority=6")
        assert (task["priority"], task["max_attempts"]) == (6, 4)

    def test_max_task_time_is_the_default_ttl(self) -> None:
        assert configured(max_task_time=10).submit({})["expire"] == NOW + 10

    @pytest.mark.parametrize(
        ("query", "wrong"),
        [
            ("wait=51", "wait"),
            ("Delay=3", "Delay"),
            ("delay=1&run_at=2", "run_at"),
            ("priority=1&priority=1", "priority"),
            ("priority=101", "priority"),
            ("priority=-101", "priority"),
            ("priority=1.0", "priority"),
            ("priority=1_0", "priority"),
            ("priority=%D9%A3", "priority"),
            ("priority=%2B1", "priority"),
            ("priority=", "priority"),
            ("priority=" + "9" * 5000, "priority"),
            ("delay=-1", "delay"),
            ("delay=nan", "delay"),
            ("delay=inf", "delay"),
            ("delay=1e999", "delay"),
            ("delay=315360001", "delay"),
            ("delay=%FF", "delay"),
            ("delay=1%00", "delay"),
            ("run_at=-1", "run_at"),
            ("run_at=253370764801", "run_at"),
            ("max_attempts=0", "max_attempts"),
            ("max_attempts=10001", "max_attempts"),
            ("max_losses=-1", "max_losses"),
            ("timeout=0", "timeout"),
            ("timeout=1e-400", "timeout"),
            ("ttl=0", "ttl"),
            ("ttl=1.5", "ttl"),
            ("ttl=315360001", "ttl"),
            ("%00=1", "\0"),
        ],
    )
    def test_an_invalid_option_is_named_and_nothing_is_stored(self, service: Service, query: str, wrong: str) -> None:
        answer = service.client.post(f"/task/new?{query}", json={})
        assert answer.status_code == 422
        assert list(answer.get_json()["errors"]["query"]) == [wrong]
        assert service.client.get("/task/1").status_code == 404

    def test_every_invalid_option_is_named(self, service: Service) -> None:
        answer = service.client.post("/task/new?a=1&ttl=0&delay=x", json={})
        assert set(answer.get_json()["errors"]["query"]) == {"a", "ttl", "delay"}

    @pytest.mark.parametrize(
        "query", ["delay=0", "delay=315360000", "run_at=0", "run_at=253370764800", "ttl=315360000"]
    )
    def test_options_at_their_limits_are_accepted(self, service: Service, query: str) -> None:
        service.submit({}, f"/task/new?{query}")
        assert service.view()["status"] == "waiting"


class TestTypes:
    def test_an_unpublished_type_is_404_with_the_known_types(self, service: Service) -> None:
        service.publish("add")
        answer = service.client.post("/task/new/sub", json={})
        assert answer.status_code == 404
        assert answer.get_json()["message"] == "type sub is not published; the known types are default, add"

    def test_invalid_arguments_are_named_by_path(self, service: Service) -> None:
        schema = {
            "type": "object",
            "properties": {"a": {"type": "array", "items": {"type": "number"}}, "b": {"type": "integer"}},
            "required": ["a", "b"],
            "additionalProperties": False,
        }
        service.publish("add", json.dumps(schema))
        answer = service.client.post("/task/new/add", json={"a": [1, "2"], "c": 3})
        assert answer.status_code == 422
        assert answer.get_json()["errors"] == {
            "json": {"$.a.1": ['it is not of type "number"'], "$.b": ["is required"], "$.c": ["is not expected here"]}
        }
        assert service.client.get("/task/1").status_code == 404

    def test_types_are_listed_with_schema_and_defaults(self, service: Service) -> None:
        schema, result = '{"type":"object","required":["a"]}', '{"type":["number","null"]}'
        service.publish("add", schema, "Adds.", result=result, timeout=2.5, max_attempts=2)
        default, add = service.client.get("/types").get_json()["types"]
        assert (default["name"], default["live"], default["schema"]) == ("default", False, {"type": "object"})
        assert (default["abandoned"], default["result"]) == (True, None)
        assert add == {
            "name": "add",
            "description": "Adds.",
            "live": True,
            "abandoned": False,
            "oldest_due": None,
            "schema": {"type": "object", "required": ["a"]},
            "result": {"type": ["number", "null"]},
            "defaults": {"priority": 0, "max_attempts": 2, "max_losses": 3, "timeout": 2.5, "callback": None},
            "schedule": None,
            "limits": None,
        }

    def test_a_recurring_type_is_listed_with_its_next_time(self, service: Service) -> None:
        recurs = Recurring(in_memory(service.store), service.clock)
        schedule = Schedule(every="30 12 * * *", timezone="Europe/Lisbon")
        recurs.publish("a", recurring("report", schedule))
        next = service.clock.now().timestamp() + 1800
        stays = {"every": "30 12 * * *", "timezone": "Europe/Lisbon", "skipped": 0}
        assert self.schedule(service) == stays | {"next": next}
        recurs.withdraw("a")
        recurs.publish("b", recurring("other", None))
        service.clock.move(1)
        assert self.schedule(service) == stays | {"next": None}
        recurs.publish("a", recurring("report", None))
        service.clock.move(1)
        assert self.schedule(service) is None

    def test_the_number_of_skipped_ticks_of_a_type_is_listed(self, service: Service) -> None:
        recurs = Recurring(in_memory(service.store), service.clock)
        recurs.publish("a", recurring("report"), seconds=10**6)
        recurs.limit("report", accepting=False)
        recurs.pass_hours(1)
        recurs.tick()
        assert self.schedule(service)["skipped"] == 1

    def schedule(self, service: Service) -> Any:
        listed = service.client.get("/types").get_json()
        schema = {"$ref": "#/components/schemas/Types", "components": {"schemas": SCHEMAS}}
        jsonschema_rs.validator_for(schema).validate(listed)
        (report,) = (each for each in listed["types"] if each["name"] == "report")
        return report["schedule"]


class TestChanging:
    def test_cancel_answers_with_the_task_and_a_repeated_cancel_with_the_same(self, service: Service) -> None:
        service.submit({"a": 1})
        answer = service.client.post("/task/1/cancel")
        assert (answer.status_code, answer.get_json()["status"]) == (200, "cancelled")
        again = service.client.post("/task/1/cancel")
        assert (again.status_code, again.get_json()) == (200, answer.get_json())

    def test_a_done_task_cannot_be_cancelled(self, service: Service) -> None:
        service.submit({})
        service.succeed("1")
        answer = service.client.post("/task/1/cancel")
        assert answer.status_code == 409
        assert answer.get_json()["message"] == "task 1 is done: cancel accepts only a task that is running or waiting"

    def test_a_retried_task_waits_again_under_its_id(self, service: Service) -> None:
        service.submit({"a": 1})
        service.fail()
        answer = service.client.post("/task/1/retry")
        assert answer.status_code == 200
        assert (answer.get_json()["status"], answer.get_json()["max_attempts"]) == ("waiting", 2)

    def test_a_waiting_task_cannot_be_retried(self, service: Service) -> None:
        service.submit({})
        assert service.client.post("/task/1/retry").status_code == 409

    def test_a_deleted_task_is_404(self, service: Service) -> None:
        service.submit({})
        answer = service.client.delete("/task/1")
        assert (answer.status_code, answer.data) == (204, b"")
        assert "Content-Type" not in answer.headers
        assert service.client.get("/task/1").status_code == 404

    def test_a_running_task_cannot_be_deleted(self, service: Service) -> None:
        service.submit({})
        service.claim()
        assert service.client.delete("/task/1").status_code == 409

    @pytest.mark.parametrize("verb", ["cancel", "retry"])
    @pytest.mark.parametrize("id", ["7", "x", "9" * 30])
    def test_an_unknown_task_cannot_be_changed(self, service: Service, verb: str, id: str) -> None:
        assert service.client.post(f"/task/{id}/{verb}").status_code == 404
        assert service.client.delete(f"/task/{id}").status_code == 404


class TestListing:
    def test_tasks_are_listed_newest_first_without_arguments_and_result(self, service: Service) -> None:
        service.submit({"a": 1})
        service.submit({"a": 2})
        page = service.client.get("/tasks").get_json()
        assert [task["id"] for task in page["tasks"]] == [2, 1]
        assert page["next"] is None
        assert list(page["tasks"][0]) == [field for field in FIELDS if field not in ("args", "result")]

    def test_a_listed_task_equals_its_view(self, service: Service) -> None:
        for _ in range(4):
            service.submit({})
        service.succeed("1")
        service.fail()
        service.claim()
        listed = service.client.get("/tasks").get_json()["tasks"]
        assert [task["status"] for task in listed] == ["waiting", "running", "failed", "done"]
        for task in listed:
            seen = service.view(task["id"])
            assert task == {field: seen[field] for field in task}

    def test_pages_continue_at_the_cursor(self, service: Service) -> None:
        for _ in range(5):
            service.submit({})
        first = service.client.get("/tasks?limit=2").get_json()
        second = service.client.get(f"/tasks?limit=2&cursor={first['next']}").get_json()
        last = service.client.get(f"/tasks?limit=2&cursor={second['next']}").get_json()
        assert [[task["id"] for task in page["tasks"]] for page in (first, second, last)] == [[5, 4], [3, 2], [1]]
        assert last["next"] is None

    def test_a_list_can_be_filtered_by_status_and_type(self, service: Service) -> None:
        service.publish("add")
        service.submit({})
        service.submit({}, "/task/new/add")
        service.client.post("/task/1/cancel")
        assert [task["id"] for task in service.client.get("/tasks?status=cancelled").get_json()["tasks"]] == [1]
        assert [task["id"] for task in service.client.get("/tasks?type=add").get_json()["tasks"]] == [2]
        assert service.client.get("/tasks?type=other").get_json()["tasks"] == []

    def test_a_page_has_fifty_tasks_by_default(self, service: Service) -> None:
        for _ in range(51):
            service.submit({})
        assert len(service.client.get("/tasks").get_json()["tasks"]) == 50

    @pytest.mark.parametrize(
        "query",
        ["status=Waiting", "limit=0", "limit=1001", "limit=x", "cursor=0", "cursor=x", "cursor=" + "9" * 19, "type=",
         "type=%00", "type=" + "x" * 201, "state=done", "limit=1&limit=2"],
    )  # fmt: skip
    def test_an_invalid_query_is_refused(self, service: Service, query: str) -> None:
        assert service.client.get(f"/tasks?{query}").status_code == 422
