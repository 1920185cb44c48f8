"""CORS: the origins whose pages may call the API from a browser."""

import pytest
from werkzeug.test import TestResponse

from entrypoints.containers.injector import providers
from tests.unit.http_service import Service, configured

PAGE = "https://app.example.org"


def get(service: Service, origin: str | None, path: str = "/ping") -> TestResponse:
    return service.client.get(path, headers={"Origin": origin} if origin else {})


def preflight(service: Service, path: str = "/task/new", method: str = "POST", origin: str = PAGE) -> TestResponse:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return service.client.options(path, headers=headers)


@pytest.fixture
def service() -> Service:
    return configured(frontend_url=(PAGE, "http://localhost:3000"), backend_url="https://API.example.org/tasks")


@pytest.mark.parametrize("origin", [PAGE, PAGE + "/", PAGE.upper(), "http://localhost:3000", "https://api.example.org"])
def test_a_page_of_an_allowed_origin_may_read_answers(service: Service, origin: str) -> None:
    answer = get(service, origin)
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag, Location, Retry-After, X-Request-Id"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.org",
        "http://app.example.org",
        PAGE + ":8443",
        PAGE + ".evil.org",
        "null",
        "",
        "http://[",
        "é",
    ],
)
def test_a_page_of_another_origin_may_not_read_answers(service: Service, origin: str) -> None:
    answer = get(service, origin)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("path", "code"), [("/nothing", 404), ("/task/7", 404), ("/task/1/cancel", 405), ("/tasks?x=1", 422)]
)
def test_a_page_of_an_allowed_origin_may_read_errors(service: Service, path: str, code: int) -> None:
    answer = get(service, PAGE, path)
    assert answer.status_code == code
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE


def test_a_page_of_an_allowed_origin_may_read_500(service: Service) -> None:
    def break_down(_: object) -> None:
        raise RuntimeError

    service.container.view_task.override(providers.Object(break_down))
    answer = service.app().test_client().get("/task/1", headers={"Origin": PAGE})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (500, PAGE)


def test_answers_vary_by_origin(service: Service) -> None:
    for origin in (None, PAGE, "https://evil.example.org"):
        assert "Origin" in get(service, origin).vary
    assert "Origin" in preflight(service).vary


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/task/new", "POST"),
        ("/task/1", "DELETE"),
        ("/types/add/limits", "PUT"),
        ("/types/add/limits", "DELETE"),
        ("/nothing", "POST"),
    ],
)
def test_a_preflight_answer_lists_methods_and_headers(service: Service, path: str, method: str) -> None:
    answer = preflight(service, path, method)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    accepted = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Encoding", "Content-Type", "Idempotency-Key", "Last-Event-ID"} <= set(accepted)


def test_a_preflight_of_another_origin_gets_no_cors_headers(service: Service) -> None:
    answer = preflight(service, origin="https://evil.example.org")
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_a_star_allows_every_origin() -> None:
    service = configured(frontend_url=("*",))
    for origin in (PAGE, "null", "http://["):
        answer = get(service, origin)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Origin" not in answer.vary
    assert preflight(service).headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in get(service, None).headers


def test_the_default_port_is_no_part_of_an_origin() -> None:
    service = configured(frontend_url=("https://app.example.org:443", "http://plain.example.org:80"))
    assert "Access-Control-Allow-Origin" in get(service, PAGE).headers
    assert "Access-Control-Allow-Origin" in get(service, "http://plain.example.org").headers
    assert "Access-Control-Allow-Origin" not in get(service, "https://plain.example.org").headers


def test_without_settings_no_origin_is_allowed() -> None:
    answer = get(Service(), PAGE)
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    assert not answer.vary
