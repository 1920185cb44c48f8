"""API keys over HTTP: which sender may use which operation, and whose tasks it sees."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.recent import MAX_AGE_SECONDS
from application.use_cases.create_api_key import ApiKeyRequest, CreatedApiKey
from application.view import View
from domain.access import Scope
from domain.ids import TaskId, TypeName
from tests.unit.http_service import Service, configured

SUBMIT, READ, MANAGE, ADMIN = Scope
NEEDS: dict[Scope, Sequence[str]] = {
    SUBMIT: [
        *("POST /task/new", "POST /task/new/{type}", "POST /tasks"),
        *("POST /batches", "POST /batches/{id}/tasks", "POST /batches/{id}/close"),
    ],
    READ: [
        *("GET /task/{id}", "GET /task/{id}/view", "GET /task/{id}/log", "GET /task/{id}/result"),
        *("GET /task/{id}/events", "GET /tasks", "GET /tasks/counts", "GET /events"),
        *("GET /batches", "GET /batches/{id}", "GET /batches/{id}/events", "GET /stats", "GET /handlers"),
        "GET /metrics",
    ],
    MANAGE: [
        *("POST /task/{id}/cancel", "POST /task/{id}/retry", "DELETE /task/{id}"),
        *("POST /tasks/cancel", "POST /tasks/retry", "POST /tasks/delete"),
        *("POST /batches/{id}/cancel", "POST /batches/{id}/retry"),
        *("PUT /types/{type}/limits", "DELETE /types/{type}/limits"),
    ],
    ADMIN: ["GET /keys", "POST /keys", "DELETE /keys/{id}"],
}
SCOPE_OF = {operation: scope for scope, operations in NEEDS.items() for operation in operations}
FOR_ANY_KEY = {"GET /types"}
PUBLIC = {"GET /ping", "GET /health/live", "GET /health/ready"}
OF_ALL = {"GET /stats", "GET /handlers", "GET /metrics", "PUT /types/{type}/limits", "DELETE /types/{type}/limits"}
"""Operations about what belongs to all."""
SLEPT: list[float] = []


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer wrong keys at once, and note for how long they would have waited."""
    SLEPT.clear()
    monkeypatch.setattr("entrypoints.http.authentication.slow_answers.sleep", SLEPT.append)


@pytest.fixture
def service() -> Iterator[Service]:
    """A service with tasks and a batch of a key that sees all, numbered 1 and up."""
    made = Service(has_own_app=True)
    made.publish("add")
    key = create(made, *Scope)
    post(made, key, "/task/new/add", {"a": 1})
    post(made, key, "/batches", {"tasks": [{"type": "add"}], "open": True})
    yield made
    made.batch_feed.close()
    made.change_feed.close()


def create(service: Service, *scopes: Scope, **given: Any) -> CreatedApiKey:
    """Make a key, of which the API has heard."""
    request = ApiKeyRequest(name="test", scopes=frozenset(scopes), **given)
    created = service.container.create_api_key()(request)
    service.clock.move(MAX_AGE_SECONDS)
    return created


def bearer(key: CreatedApiKey | str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key if isinstance(key, str) else key.token}"}


def post(service: Service, key: CreatedApiKey, path: str, body: Any = None, **headers: str) -> TestResponse:
    return service.client.post(path, json={} if body is None else body, headers=bearer(key) | headers)


def get(service: Service, key: CreatedApiKey, path: str) -> TestResponse:
    return service.client.get(path, headers=bearer(key))


def operations(service: Service) -> Iterator[str]:
    for path, item in service.document()["paths"].items():
        if not path.startswith(("/task/new/add", "/task/new/default")):
            yield from (f"{method.upper()} {path}" for method in item if method != "parameters")


def send(client: FlaskClient, operation: str, headers: dict[str, str], id: int = 1) -> TestResponse:
    """Send a request that the operation could carry out."""
    method, path = operation.split()
    query = "?ids=1" if path == "/events" else ""
    body = "[]" if operation in ("POST /tasks", "POST /batches/{id}/tasks") else "{}"
    return client.open(
        path.replace("{id}", str(id)).replace("{type}", "add") + query,
        method=method,
        headers=headers,
        data=body if method in ("POST", "PUT") else None,
        content_type="application/json" if method in ("POST", "PUT") else None,
    )


def codes(service: Service, named: Sequence[str], headers: dict[str, str]) -> dict[str, int]:
    found = {}
    for operation in named:
        with send(service.client, operation, headers) as answer:
            found[operation] = answer.status_code
    return found


class TestEveryOperation:
    def test_each_has_a_declared_need(self, service: Service):
        assert {*operations(service)} == SCOPE_OF.keys() | FOR_ANY_KEY | PUBLIC

    def test_without_a_key_each_answers_401_but_the_public_ones(self, service: Service):
        found = codes(service, [*operations(service)], {})
        assert {operation for operation, code in found.items() if code != 401} == PUBLIC

    @pytest.mark.parametrize("how", ["expired", "revoked", "unknown", "malformed"])
    def test_with_a_wrong_key_each_answers_401_but_the_public_ones(self, service: Service, how: str):
        key = create(service, *Scope, expires=service.clock.now() + timedelta(seconds=100))
        shown = {"unknown": f"ft_{key.key.id}_{'x' * 32}", "malformed": "whatever"}.get(how, str(key.token))
        if how == "expired":
            service.clock.move(100)
        if how == "revoked":
            service.container.revoke_api_key()(key.key.id)
            service.clock.move(MAX_AGE_SECONDS)
        found = codes(service, [*operations(service)], bearer(shown))
        assert {operation for operation, code in found.items() if code != 401} == PUBLIC

    @pytest.mark.parametrize("scope", Scope)
    def test_with_another_scope_each_answers_403(self, service: Service, scope: Scope):
        key = create(service, scope)
        found = codes(service, [*SCOPE_OF, *FOR_ANY_KEY], bearer(key))
        allowed = {operation for operation in SCOPE_OF if scope in (SCOPE_OF[operation], ADMIN)} | FOR_ANY_KEY
        assert {operation for operation, code in found.items() if code == 403} == SCOPE_OF.keys() - allowed
        assert not {operation for operation in allowed if found[operation] in (401, 403, 500)}

    def test_of_a_foreign_task_or_batch_each_answers_404(self, service: Service):
        key = create(service, SUBMIT, READ, MANAGE, own_only=True)
        of_one = [operation for operation in SCOPE_OF if "/{id}" in operation and "/keys" not in operation]
        found = codes(service, of_one, bearer(key))
        assert {*found.values()} == {404}
        for operation in of_one:
            foreign, absent = (send(service.client, operation, bearer(key), id).text for id in (1, 77))
            assert foreign.replace("1 ", "77 ") == absent

    def test_a_sender_that_sees_only_its_own_tasks_uses_nothing_that_is_about_all(self, service: Service):
        key = create(service, SUBMIT, READ, MANAGE, own_only=True)
        found = codes(service, [*SCOPE_OF, *FOR_ANY_KEY], bearer(key))
        assert {operation for operation, code in found.items() if code == 403} == OF_ALL | {*NEEDS[ADMIN]}

    def test_every_page_and_file_declares_its_need(self, service: Service):
        app = service.app()
        assert [
            rule for rule in app.url_map.iter_rules() if not hasattr(app.view_functions[rule.endpoint], "needs")
        ] == []


class TestErrors:
    def test_a_missing_key_is_named_with_how_to_show_one(self, service: Service):
        answer = service.client.get("/tasks")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "Authorization: Bearer ft_" in answer.get_json()["message"]

    def test_a_missing_scope_is_named(self, service: Service):
        answer = get(service, create(service, SUBMIT), "/tasks")
        assert answer.get_json()["message"] == "the API key lacks the scope read"

    def test_an_unknown_path_answers_404_without_a_key(self, service: Service):
        assert service.client.get("/nowhere").status_code == 404

    def test_basic_credentials_of_a_proxy_are_no_key(self, service: Service):
        assert service.client.get("/tasks", headers={"Authorization": "Basic abc"}).status_code == 401
        assert SLEPT == []

    def test_preflight_requests_need_no_key(self):
        service = Service(configured(frontend_url=("https://example.org",)).given, has_own_app=True)
        create(service, READ)
        asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
        assert service.client.options("/tasks", headers=asked).status_code == 204
        answer = service.client.get("/tasks", headers={"Origin": "https://example.org"})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, "https://example.org")


class TestOpenApi:
    def test_without_any_key_each_operation_works_and_a_key_is_no_mistake(self):
        service = Service()
        for headers in ({}, bearer("ft_whatever")):
            assert {*codes(service, ["GET /tasks", "GET /keys", "GET /stats"], headers).values()} == {200}

    def test_the_first_key_closes_it(self):
        service = Service(has_own_app=True)
        made = service.client.post("/keys", json={"name": "first", "scopes": ["admin"]})
        assert made.status_code == 201
        service.clock.move(MAX_AGE_SECONDS)
        assert service.client.get("/keys").status_code == 401
        assert service.client.get("/keys", headers=bearer(made.get_json()["key"])).status_code == 200

    def test_an_api_that_requires_keys_is_closed_without_any(self):
        assert configured(require_keys=True).client.get("/tasks").status_code == 401

    def test_the_document_shows_types_only_to_those_with_a_key(self, service: Service):
        assert "/task/new/add" not in service.client.get("/openapi.json").text
        assert "/task/new/add" in get(service, create(service, SUBMIT), "/openapi.json").text


class TestSlowAnswers:
    def test_wrong_keys_are_answered_slower_and_slower_and_right_ones_at_once(self, service: Service):
        key = create(service, READ)
        for _ in range(10):
            service.client.get("/tasks", headers=bearer("ft_wrong"))
        assert SLEPT == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
        assert get(service, key, "/tasks").status_code == 200
        assert len(SLEPT) == 9

    def test_other_addresses_are_not_delayed(self, service: Service):
        for address in ("192.0.2.1", "192.0.2.2"):
            service.client.get("/tasks", headers=bearer("ft_wrong"), environ_base={"REMOTE_ADDR": address})
        assert SLEPT == []

    def test_an_address_is_forgotten_after_ten_minutes(self, service: Service):
        for seconds in (0, 599, 600):
            service.clock.move(seconds)
            service.client.get("/tasks", headers=bearer("ft_wrong"))
        assert SLEPT == [0.1]


class TestTypes:
    def test_a_key_submits_only_the_types_that_it_names(self, service: Service):
        service.publish("weigh")
        key = create(service, SUBMIT, types=[TypeName("add")])
        assert post(service, key, "/task/new/add").status_code == 201
        assert post(service, key, "/tasks", [{"type": "add"}]).status_code == 201
        for path, body in (
            ("/task/new/weigh", {}),
            ("/task/new/unknown", {}),
            ("/task/new", {}),
            ("/tasks", [{"type": "add"}, {"type": "weigh"}]),
            ("/batches", {"tasks": [{"type": "weigh"}]}),
            ("/batches", {"tasks": [], "then": {"type": "weigh"}}),
        ):
            answer = post(service, key, path, body)
            assert answer.status_code == 403, (path, answer.text)
            assert "may submit no tasks of type" in answer.get_json()["message"]


class TestOwnTasks:
    @pytest.fixture
    def ana(self, service: Service) -> CreatedApiKey:
        return create(service, SUBMIT, READ, MANAGE, own_only=True)

    @pytest.fixture
    def ben(self, service: Service) -> CreatedApiKey:
        return create(service, SUBMIT, READ, MANAGE, own_only=True)

    def test_a_sender_sees_its_own_tasks_and_no_others(self, service: Service, ana: CreatedApiKey, ben: CreatedApiKey):
        id = post(service, ana, "/task/new/add", {"a": 5}).get_json()["id"]
        assert get(service, ana, f"/task/{id}/view").status_code == 200
        assert get(service, ben, f"/task/{id}/view").status_code == 404
        assert [task["id"] for task in get(service, ana, "/tasks").get_json()["tasks"]] == [id]
        assert get(service, ben, f"/tasks?ids={id},1").get_json()["tasks"] == []
        assert get(service, ana, "/tasks/counts").get_json()["counts"] == {"add": {"waiting": 1}}

    def test_a_sender_sees_its_own_batches_and_no_others(
        self, service: Service, ana: CreatedApiKey, ben: CreatedApiKey
    ):
        made = post(service, ana, "/batches", {"tasks": [{"type": "add"}], "open": True}).get_json()
        assert [batch["id"] for batch in get(service, ana, "/batches").get_json()["batches"]] == [made["id"]]
        assert get(service, ben, "/batches").get_json()["batches"] == []
        assert post(service, ben, f"/batches/{made['id']}/tasks", [{"type": "add"}]).status_code == 404
        assert get(service, ben, f"/tasks?batch={made['id']}").get_json()["tasks"] == []
        assert [task["id"] for task in get(service, ana, f"/tasks?batch={made['id']}").get_json()["tasks"]] == made[
            "ids"
        ]

    def test_a_sender_changes_only_its_own_tasks(self, service: Service, ana: CreatedApiKey, ben: CreatedApiKey):
        for key in (ana, ana, ben):
            post(service, key, "/task/new/add")
        assert post(service, ana, "/tasks/cancel").get_json()["count"] == 2
        assert post(service, ana, "/tasks/delete").get_json()["count"] == 2
        assert len(get(service, ben, "/tasks?status=waiting").get_json()["tasks"]) == 1

    def test_a_sender_changes_only_its_own_tasks_of_its_batch(self, service: Service, ana: CreatedApiKey):
        batch = post(service, ana, "/batches", {"tasks": [{"type": "add"}], "open": True}).get_json()["id"]
        post(service, create(service, SUBMIT), f"/batches/{batch}/tasks", [{"type": "add"}])
        assert post(service, ana, f"/batches/{batch}/cancel").get_json()["count"] == 1

    def test_a_sender_waits_only_for_its_own_tasks(self, service: Service, ana: CreatedApiKey, ben: CreatedApiKey):
        own, foreign = (post(service, key, "/task/new/add").get_json()["id"] for key in (ana, ben))
        assert post(service, ana, f"/task/new/add?after={own}").status_code == 201
        for path, body in (
            (f"/task/new/add?after={foreign}", {}),
            ("/task/new/add?references=true", {"a": {"$result": foreign}}),
            ("/tasks", [{"type": "add", "after": [own, foreign]}]),
            ("/batches", {"tasks": [{"type": "add", "args": {"a": {"$result": foreign}}, "references": True}]}),
        ):
            answer = post(service, ana, path, body)
            assert answer.status_code == 422, path
            assert f"task id {foreign} is not registered" in answer.text

    def test_items_of_one_request_wait_for_each_other(self, service: Service, ana: CreatedApiKey):
        items = [{"type": "add", "ref": "first"}, {"type": "add", "after": ["first"]}]
        assert post(service, ana, "/tasks", items).status_code == 201
        assert post(service, ana, "/batches", {"tasks": items}).status_code == 201

    def test_senders_may_use_the_same_idempotency_key(self, service: Service, ana: CreatedApiKey, ben: CreatedApiKey):
        for path, body in (("/task/new/add", {"a": 1}), ("/tasks", [{"type": "add"}]), ("/batches", {})):
            named = {"Idempotency-Key": f"mine {path}"}
            first = post(service, ana, path, body, **named)
            assert (first.status_code, post(service, ana, path, body, **named).status_code) == (201, 200)
            other = post(service, ben, path, body, **named)
            assert other.status_code == 201
            assert other.text != first.text

    def test_events_are_of_its_own_tasks(self, service: Service, ana: CreatedApiKey):
        id = post(service, ana, "/task/new/add").get_json()["id"]
        post(service, ana, f"/task/{id}/cancel")
        events = get(service, ana, f"/events?ids={id},1").text
        assert '"status":"cancelled"' in events
        assert '"id":1' not in events

    def test_who_sees_all_sees_the_tasks_of_those_who_do_not(self, service: Service, ana: CreatedApiKey):
        id = post(service, ana, "/task/new/add").get_json()["id"]
        assert get(service, create(service, READ), f"/task/{id}/view").status_code == 200


class TestRates:
    def test_a_key_makes_no_more_requests_than_its_rate_allows(self, service: Service):
        key, other = create(service, READ, per_second=2, burst=3), create(service, READ, per_second=2)
        assert [get(service, key, "/tasks").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        refused = get(service, key, "/tasks")
        assert refused.headers["Retry-After"] == "1"
        assert refused.get_json()["message"] == "the API key allows no more requests for now: try again in 1 s"
        assert get(service, other, "/tasks").status_code == 200
        service.clock.move(1)
        assert [get(service, key, "/tasks").status_code for _ in range(3)] == [200, 200, 429]

    def test_all_processes_of_the_api_count_together(self, service: Service):
        key = create(service, READ, per_second=1, burst=4)
        other = Service(service.given, service.clock, service.store, has_own_app=True)
        answers = [get(each, key, "/tasks").status_code for _ in range(3) for each in (service, other)]
        assert answers.count(200) == 4

    def test_a_fast_key_asks_the_storage_ten_times_a_second(self, service: Service):
        key = create(service, READ, per_second=100)
        begun: list[int] = []
        begin = service.store.begin
        service.begin = lambda: begun.append(1) or begin()  # type: ignore[method-assign,func-returns-value]
        assert {get(service, key, "/types").status_code for _ in range(100)} == {200}
        assert len(begun) < 15


class TestWaitingTasks:
    def test_no_more_tasks_of_a_key_wait_than_may(self, service: Service):
        key = create(service, SUBMIT, MANAGE, max_waiting=3)
        assert post(service, key, "/tasks", [{"type": "add"}] * 2).status_code == 201
        assert post(service, key, "/task/new/add", **{"Idempotency-Key": "third"}).status_code == 201
        for path, body in (
            ("/task/new/add", {}),
            ("/tasks", [{"type": "add"}]),
            ("/batches", {"tasks": [{"type": "add"}]}),
        ):
            answer = post(service, key, path, body)
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5"), path
            assert "allows 3 tasks to wait" in answer.get_json()["message"]
        assert post(service, key, "/task/new/add", **{"Idempotency-Key": "third"}).status_code == 200
        # Two tasks of another key were there before.
        for _ in range(3):
            service.succeed("1", "add")
        assert post(service, key, "/task/new/add").status_code == 201

    def test_the_tasks_of_others_do_not_count(self, service: Service):
        key, other = create(service, SUBMIT, max_waiting=1), create(service, SUBMIT)
        assert [post(service, other, "/task/new/add").status_code for _ in range(3)] == [201] * 3
        assert post(service, key, "/task/new/add").status_code == 201


class TestLongRequests:
    def test_a_request_that_has_waited_is_answered_401_if_its_key_was_revoked_meanwhile(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("entrypoints.http.authentication.check_access.LONG_SECONDS", -1)
        key = create(service, READ)
        assert get(service, key, "/task/1/view").status_code == 200
        view = service.container.view_task()

        def view_late(id: TaskId) -> View:
            service.container.revoke_api_key()(key.key.id)
            service.clock.move(MAX_AGE_SECONDS)
            return view(id)

        service.container.view_task.override(view_late)
        late = Service(service.given, service.clock, service.store, has_own_app=True)
        late.container = service.container
        answer = late.client.get("/task/1/view", headers=bearer(key))
        assert answer.status_code == 401
        assert '"a"' not in answer.text

    def test_a_stream_ends_when_its_key_is_revoked(self, service: Service):
        key = create(service, READ)
        with service.client.get("/task/1/events", headers=bearer(key), buffered=False) as answer:
            chunks = answer.iter_encoded()
            assert next(chunks)
            service.container.revoke_api_key()(key.key.id)
            service.clock.move(MAX_AGE_SECONDS)
            assert b'"id":1' not in b"".join(chunks)


class TestManagingKeys:
    def test_a_key_is_made_listed_and_revoked(self, service: Service):
        admin = create(service, ADMIN)
        asked = {"name": "é", "scopes": ["read", "submit"], "types": ["add"], "own_only": True, "expires": 4e9}
        made = post(service, admin, "/keys", asked)
        assert made.status_code == 201
        assert made.headers["Cache-Control"] == "no-store"
        shown = made.get_json()
        key = shown.pop("key")
        assert asked.items() <= shown.items()
        listed = get(service, admin, "/keys")
        assert shown in listed.get_json()["keys"]
        assert key.rpartition("_")[2] not in listed.text
        revoked = service.client.delete(f"/keys/{shown['id']}", headers=bearer(admin))
        assert revoked.get_json()["revoked"] == service.clock.now().timestamp()
        assert service.client.delete("/keys/other", headers=bearer(admin)).status_code == 404

    @pytest.mark.parametrize(
        ("wrong", "path"),
        [
            ({"name": ""}, "$.name"),
            ({"name": " \n"}, "$.name"),
            ({"scopes": []}, "$.scopes"),
            ({"scopes": ["write"]}, "$.scopes.0"),
            ({"types": []}, "$.types"),
            ({"expires": 1}, "$.expires"),
            ({"expires": 1e99}, "$.expires"),
            ({"expires": "tomorrow"}, "$.expires"),
            ({"own_only": 1}, "$.own_only"),
            ({"own_only": True, "scopes": ["admin"]}, "$.own_only"),
            ({"per_second": 0}, "$.per_second"),
            ({"burst": 3}, "$.burst"),
            ({"max_waiting": -1}, "$.max_waiting"),
            ({"scope": "read"}, "$.scope"),
        ],
    )
    def test_a_wrong_request_is_refused_with_its_place(self, service: Service, wrong: dict[str, Any], path: str):
        body = json.dumps({"name": "x", "scopes": ["read"]} | wrong)
        answer = service.client.post(
            "/keys", data=body, content_type="application/json", headers=bearer(create(service, ADMIN))
        )
        assert answer.status_code == 422
        assert [*answer.get_json()["errors"]["json"]] == [path]
