"""Limits of types over HTTP: setting and removing them, types that accept nothing, and why tasks wait."""

import json
from typing import Any

import jsonschema_rs
import pytest
from werkzeug.test import TestResponse

from application.ports.limits import LimitedClaimRequest
from application.ports.wake_up import Topic
from domain.ids import TypeName
from domain.lease import Lease
from domain.limits import Limits, Override
from entrypoints.http.openapi.schemas import SCHEMAS
from tests.steps import HANDLER
from tests.unit.http_service import Service
from tests.unit.test_http_errors import check_form

DECLARED = Limits(at_once=4, per_second=10)
DECLARED_JSON = {"at_once": 4, "per_second": 10}
UNLIMITED_JSON: dict[str, Any] = {
    "at_once": None,
    "per_second": None,
    "burst": None,
    "lane": None,
    "at_once_per_lane": None,
    "paused": False,
    "accepting": True,
    "running": 0,
    "declared": {},
    "override": None,
}


@pytest.fixture
def service() -> Service:
    """A service with a type that declares limits, and one that does not."""
    service = Service()
    service.publish("add", limits=DECLARED)
    service.publish("free")
    return service


def put(service: Service, limits: Any, type: str = "add") -> TestResponse:
    return service.client.put(f"/types/{type}/limits", json=limits)


def set_limits(service: Service, type: str = "add", **limits: Any) -> dict[str, Any]:
    """Set limits, and return those that hold from the answer."""
    answer = put(service, limits, type)
    assert answer.status_code == 200, answer.text
    return answer.get_json()["limits"]


def remove(service: Service, type: str = "add") -> TestResponse:
    return service.client.delete(f"/types/{type}/limits")


def listed(service: Service, type: str = "add") -> dict[str, Any]:
    """A type as it is listed, which its schema describes."""
    answer = service.client.get("/types").get_json()
    schema = {"$ref": "#/components/schemas/Types", "components": {"schemas": SCHEMAS}}
    jsonschema_rs.validator_for(schema).validate(answer)
    (found,) = (each for each in answer["types"] if each["name"] == type)
    return found


def claim_limited(service: Service, limit: int = 100) -> int:
    """Claim tasks within the limits of their type, and return their number."""
    lease = Lease.granted(HANDLER, service.clock.now(), 30)
    request = LimitedClaimRequest([TypeName("add")], limit, 10**9)
    claimed = len(service.storage.autocommit.claim_limited(lease, service.clock.now(), request).claimed)
    service.clock.move(2)
    return claimed


class TestListing:
    def test_a_type_without_limits_has_none(self, service: Service) -> None:
        assert listed(service, "free")["limits"] is None

    def test_a_type_has_the_limits_that_it_declares(self, service: Service) -> None:
        assert listed(service)["limits"] == {
            "at_once": 4,
            "per_second": 10,
            "burst": 2,
            "lane": None,
            "at_once_per_lane": None,
            "paused": False,
            "accepting": True,
            "running": 0,
            "declared": DECLARED_JSON,
            "override": None,
        }

    def test_a_type_has_the_number_of_its_running_tasks(self, service: Service) -> None:
        for _ in range(3):
            service.submit({}, "/task/new/add")
        assert claim_limited(service) == 2
        assert listed(service)["limits"]["running"] == 2

    def test_a_type_of_which_none_may_run_is_paused(self, service: Service) -> None:
        service.publish("add", limits=Limits(at_once=0))
        assert listed(service)["limits"]["paused"]

    def test_a_burst_is_as_declared(self, service: Service) -> None:
        service.publish("add", limits=Limits(per_second=10, burst=20))
        assert listed(service)["limits"]["burst"] == 20


class TestSetting:
    def test_limits_that_are_set_hold_in_place_of_the_declared_ones(self, service: Service) -> None:
        answer = put(service, {"at_once": 2, "paused": True})
        assert answer.status_code == 200
        assert answer.get_json()["limits"] == {
            "at_once": 2,
            "per_second": 10,
            "burst": 2,
            "lane": None,
            "at_once_per_lane": None,
            "paused": True,
            "accepting": True,
            "running": 0,
            "declared": DECLARED_JSON,
            "override": {"at_once": 2, "paused": True},
        }
        assert answer.get_json() == listed(service)

    def test_handlers_are_told_of_each_change(self, service: Service) -> None:
        told: list[Topic] = []
        service.wake_up.listen(told.append, (Topic.LIMITS,))
        set_limits(service, paused=True)
        remove(service)
        assert told == [Topic.LIMITS, Topic.LIMITS]

    def test_a_type_without_declared_limits_can_be_limited(self, service: Service) -> None:
        expected = UNLIMITED_JSON | {"at_once": 1, "override": {"at_once": 1}}
        assert set_limits(service, "free", at_once=1) == expected

    def test_null_lifts_a_limit(self, service: Service) -> None:
        found = set_limits(service, at_once=None, per_second=None)
        lifted = {"at_once": None, "per_second": None}
        assert found == UNLIMITED_JSON | {"declared": DECLARED_JSON, "override": lifted}

    def test_a_later_request_replaces_an_earlier_one(self, service: Service) -> None:
        set_limits(service, at_once=2)
        assert set_limits(service, burst=3)["override"] == {"burst": 3}

    def test_an_empty_object_removes_them(self, service: Service) -> None:
        set_limits(service, at_once=2)
        assert set_limits(service)["override"] is None
        assert not service.store.state.overrides

    def test_a_whole_number_may_have_a_point(self, service: Service) -> None:
        assert set_limits(service, at_once=2.0)["at_once"] == 2

    def test_they_stand_across_publications(self, service: Service) -> None:
        set_limits(service, at_once=2)
        service.publish("add", limits=Limits(at_once=9))
        assert listed(service)["limits"]["at_once"] == 2
        service.publish("add")
        assert listed(service)["limits"]["at_once"] == 2

    def test_they_stand_for_another_process_of_the_api(self, service: Service) -> None:
        set_limits(service, at_once=2)
        other = Service(store=service.store, clock=service.clock)
        assert listed(other)["limits"]["override"] == {"at_once": 2}

    def test_removing_them_brings_the_declared_ones_back_however_often(self, service: Service) -> None:
        set_limits(service, at_once=2, accepting=False)
        for _ in range(2):
            answer = remove(service)
            assert (answer.status_code, answer.get_json()) == (200, listed(service))
            assert answer.get_json()["limits"]["override"] is None
            assert answer.get_json()["limits"]["at_once"] == 4

    def test_removing_them_of_a_type_that_declares_none_leaves_none(self, service: Service) -> None:
        set_limits(service, "free", paused=True)
        assert remove(service, "free").get_json()["limits"] is None


class TestRefusals:
    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_an_unknown_type_is_404_with_the_known_ones_named(self, service: Service, method: str) -> None:
        error = check_form(service.client.open("/types/sub/limits", method=method, json={}), 404)
        assert error["message"] == "type sub is not published; the known types are default, add, free"
        assert not service.store.state.overrides

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_the_default_type_is_404_until_a_handler_has_published_it(self, service: Service, method: str) -> None:
        error = check_form(service.client.open("/types/default/limits", method=method, json={"paused": True}), 404)
        assert error["message"] == "type default is not published; the known types are add, free"
        assert not service.store.state.overrides
        service.publish("default")
        assert service.client.open("/types/default/limits", method=method, json={"paused": True}).status_code == 200

    def test_each_wrong_limit_is_named(self, service: Service) -> None:
        wrong = {"at_once": -1, "per_second": "10", "burst": 0, "paused": None, "accepting": 1, "colour": "red"}
        error = check_form(put(service, wrong | {"at_once": True}), 422)
        assert error["errors"]["json"] == {
            "$.at_once": ["it must be a whole number from 0 to 1000000, or null for no limit"],
            "$.per_second": ["it must be a number from 1e-06 to 100000, or null for no limit"],
            "$.burst": ["it must be a whole number from 1 to 1000000, or null for no limit"],
            "$.paused": ["it must be true or false"],
            "$.accepting": ["it must be true or false"],
            "$.colour": [
                "it must be absent: the limits that can be set are at_once, per_second, burst, at_once_per_lane, "
                "paused, accepting"
            ],
        }
        assert not service.store.state.overrides

    @pytest.mark.parametrize(
        "limits",
        [{"at_once": 1_000_001}, {"at_once": 0.5}, {"at_once": []}, {"at_once": 10**400}, {"per_second": 10**400},
         {"per_second": 0}, {"per_second": True}, {"per_second": 1e300}, {"burst": {}}, {"": 1}, {"running": 1}],
    )  # fmt: skip
    def test_a_limit_out_of_bounds_is_422(self, service: Service, limits: dict[str, Any]) -> None:
        error = check_form(put(service, limits | {"paused": True}), 422)
        assert list(error["errors"]["json"]) == [f"$.{name}" for name in limits]
        assert not service.store.state.overrides

    @pytest.mark.parametrize("body", [[], None, "paused", 5, True])
    def test_a_body_that_is_no_object_is_422(self, service: Service, body: Any) -> None:
        answer = service.client.put("/types/add/limits", data=json.dumps(body), content_type="application/json")
        assert check_form(answer, 422)["message"] == "the body must be a JSON object"

    @pytest.mark.parametrize(
        ("body", "content_type", "code"),
        [
            ("", "application/json", 400),
            ("{", "application/json", 400),
            ('{"paused": true, "paused": false}', "application/json", 422),
            ('{"per_second": NaN}', "application/json", 422),
            ("{}", "text/plain", 415),
            ('{"colour": "' + 70_000 * "x" + '"}', "application/json", 413),
        ],
        ids=["empty", "no JSON", "twice", "NaN", "text", "long"],
    )
    def test_a_body_that_is_no_json_is_refused_as_elsewhere(
        self, service: Service, body: str, content_type: str, code: int
    ) -> None:
        check_form(service.client.put("/types/add/limits", data=body, content_type=content_type), code)
        assert not service.store.state.overrides

    def test_setting_and_removing_answer_503_while_the_database_is_away(self, service: Service) -> None:
        service.client.get("/types")
        service.away = True
        for answer in (put(service, {"paused": True}), remove(service)):
            check_form(answer, 503)
            assert answer.headers["Retry-After"] == "1"


class TestAccepting:
    SENTENCE = "type add accepts no tasks for now"

    @pytest.fixture
    def closed(self, service: Service) -> Service:
        set_limits(service, accepting=False)
        return service

    def refused(self, service: Service, answer: TestResponse) -> dict[str, Any]:
        stored = len(service.store.state.rows)
        error = check_form(answer, 503)
        assert answer.headers["Retry-After"] == "10"
        assert len(service.store.state.rows) == stored
        return error

    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
    def test_submitting_to_a_closed_type_is_503(self, closed: Service, headers: dict[str, str]) -> None:
        answer = closed.client.post("/task/new/add", json={}, headers=headers)
        assert self.refused(closed, answer)["message"] == self.SENTENCE
        assert not closed.store.state.rows

    def test_submitting_to_a_closed_default_type_is_503(self, service: Service) -> None:
        service.publish("default")
        set_limits(service, "default", accepting=False)
        answer = service.client.post("/task/new", json={})
        assert self.refused(service, answer)["message"] == "type default accepts no tasks for now"

    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
    def test_a_batch_with_a_task_of_a_closed_type_is_503(self, closed: Service, headers: dict[str, str]) -> None:
        answer = closed.client.post("/tasks", json=[{"type": "free"}, {"type": "add"}], headers=headers)
        assert self.refused(closed, answer)["message"] == self.SENTENCE

    def test_other_types_accept_tasks(self, closed: Service) -> None:
        closed.submit({}, "/task/new/free")

    def test_the_task_of_a_known_key_is_answered(self, service: Service) -> None:
        headers = {"Idempotency-Key": "k"}
        first = service.client.post("/task/new/add", json={"a": 1}, headers=headers)
        set_limits(service, accepting=False)
        again = service.client.post("/task/new/add", json={"a": 1}, headers=headers)
        assert (again.status_code, again.get_json()["id"]) == (200, first.get_json()["id"])
        check_form(service.client.post("/task/new/add", json={"a": 2}, headers=headers), 422)
        assert len(service.store.state.rows) == 1

    def test_the_tasks_of_a_known_batch_are_answered(self, service: Service) -> None:
        batch, headers = [{"type": "add"}, {"type": "free"}, {"type": "add"}], {"Idempotency-Key": "k"}
        first = service.client.post("/tasks", json=batch, headers=headers)
        set_limits(service, accepting=False)
        again = service.client.post("/tasks", json=batch, headers=headers)
        assert (again.status_code, again.get_json()) == (200, first.get_json())

    def test_a_task_of_a_closed_type_can_be_retried(self, service: Service) -> None:
        service.submit({}, "/task/new/add")
        service.client.post("/task/1/cancel")
        set_limits(service, accepting=False)
        assert service.client.post("/task/1/retry").status_code == 200

    def test_a_type_that_accepts_tasks_again_takes_them(self, closed: Service) -> None:
        remove(closed)
        closed.submit({}, "/task/new/add")

    def test_a_paused_type_accepts_tasks(self, service: Service) -> None:
        set_limits(service, paused=True)
        service.submit({}, "/task/new/add")

    def test_the_document_describes_the_answer(self, service: Service) -> None:
        paths = service.document()["paths"]
        for path in ("/task/new", "/task/new/{type}", "/task/new/add", "/tasks"):
            assert "accepts no tasks" in paths[path]["post"]["responses"]["503"]["description"]
        assert "accepts no tasks" not in paths["/types"]["get"]["responses"]["503"]["description"]


class TestWaiting:
    """Why the second of two tasks waits, as its view says."""

    @pytest.fixture
    def waiting(self, service: Service) -> Service:
        for _ in range(2):
            service.submit({}, "/task/new/add")
        return service

    def reason(self, service: Service) -> str:
        seen = service.view(2)["waiting_for"]
        summaries = service.client.get("/tasks").get_json()["tasks"]
        assert next(each["waiting_for"] for each in summaries if each["id"] == 2) == seen
        return seen

    def test_a_task_that_no_limit_holds_back_waits_for_a_handler(self, waiting: Service) -> None:
        assert self.reason(waiting) == "handler"

    @pytest.mark.parametrize("pause", [{"paused": True}, {"at_once": 0}])
    def test_a_task_of_a_paused_type_waits_for_the_end_of_the_pause(
        self, waiting: Service, pause: dict[str, Any]
    ) -> None:
        set_limits(waiting, **pause)
        assert self.reason(waiting) == "paused"
        remove(waiting)
        assert self.reason(waiting) == "handler"

    def test_a_task_waits_for_the_limit_of_its_type(self, waiting: Service) -> None:
        set_limits(waiting, at_once=1, per_second=None)
        assert claim_limited(waiting) == 1
        assert self.reason(waiting) == "limit"

    def test_a_task_waits_for_the_rate_of_its_type(self, waiting: Service) -> None:
        set_limits(waiting, per_second=0.001)
        assert claim_limited(waiting) == 1
        assert self.reason(waiting) == "rate"

    def test_a_task_of_a_type_without_live_handler_waits_for_one(self, waiting: Service) -> None:
        set_limits(waiting, paused=True)
        waiting.withdraw("add")
        assert self.reason(waiting) == "no_handler_for_type"


def test_an_override_that_was_stored_shows(service: Service) -> None:
    with service.store.begin() as work:
        work.limits.set(TypeName("add"), Override({"burst": 7}))
        work.commit()
    service.clock.move(2)
    assert listed(service)["limits"]["burst"] == 7
