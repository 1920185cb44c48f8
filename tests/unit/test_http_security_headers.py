"""Headers by which a browser takes nothing but what an answer is meant to be: on every answer of the API."""

import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from werkzeug.test import TestResponse

from entrypoints.containers.injector import providers
from entrypoints.http.pages.responses import CONTENT_SECURITY_POLICY
from tests.unit.http_service import Service, configured

NOTHING = "default-src 'none'; frame-ancestors 'none'"
POLICY, OPTIONS, TRANSPORT = "Content-Security-Policy", "X-Content-Type-Options", "Strict-Transport-Security"
PAGE = "https://app.example.org"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}

ANSWERS: list[tuple[int, str, str, dict[str, Any]]] = [
    (200, "GET", "/ping", {}),
    (200, "HEAD", "/task/1/view", {}),
    (201, "POST", "/task/new", {"json": {"required_arg": 1}}),
    (200, "GET", "/tasks", {"headers": {"Accept": "application/x-ndjson"}}),
    (200, "GET", "/task/1/log", {}),
    (200, "GET", "/openapi.json", {"headers": {"Accept-Encoding": "gzip"}}),
    (200, "GET", "/docs/swagger-ui.css", {"headers": {"Accept-Encoding": "zstd"}}),
    (206, "GET", "/docs/swagger-ui.css", {"headers": {"Range": "bytes=0-9"}}),
    (200, "GET", "/favicon.ico", {}),
    (202, "GET", "/task/1/result", {}),
    (302, "GET", "/docs/", {}),
    (200, "OPTIONS", "/task/new", {}),
    (204, "OPTIONS", "/task/new", {"headers": PREFLIGHT}),
    (400, "POST", "/task/new", {"data": "{", "content_type": "application/json"}),
    (415, "POST", "/task/new", {"data": "{}"}),
    (403, "POST", "/task/new", {"json": {}, "headers": {"Origin": "https://evil.example.org"}}),
    (404, "GET", "/nothing", {}),
    (404, "GET", "/task/7", {}),
    (405, "GET", "/task/1/cancel", {}),
    (422, "GET", "/tasks?x=1", {}),
]
"""Answers of every kind but pages: status code, method, path, and what else is sent."""


def answer_of(service: Service, method: str, path: str, sent: dict[str, Any]) -> TestResponse:
    service.submit({"required_arg": 1})
    answer = service.client.open(path, method=method, **sent)
    answer.close()
    return answer


def policies(answer: TestResponse) -> list[str]:
    return answer.headers.getlist(POLICY)


@pytest.mark.parametrize(("code", "method", "path", "sent"), ANSWERS)
def test_an_answer_that_is_no_page_may_load_nothing(code: int, method: str, path: str, sent: dict[str, Any]) -> None:
    answer = answer_of(configured(frontend_url=(PAGE,)), method, path, sent)
    assert answer.status_code == code
    assert policies(answer) == [NOTHING]
    assert answer.headers.getlist(OPTIONS) == ["nosniff"]
    assert TRANSPORT not in answer.headers


def test_an_event_stream_may_load_nothing() -> None:
    service = Service()
    id = service.submit({"required_arg": 1})["id"]
    service.client.post(f"/task/{id}/cancel")
    answer = service.client.get(f"/task/{id}/events")
    assert (answer.mimetype, policies(answer)) == ("text/event-stream", [NOTHING])


def test_an_unchanged_answer_may_load_nothing() -> None:
    service = Service()
    with service.client.get("/favicon.ico") as first:
        tag = first.headers["ETag"]
    answer = answer_of(service, "GET", "/favicon.ico", {"headers": {"If-None-Match": tag}})
    assert (answer.status_code, policies(answer)) == (304, [NOTHING])


def test_an_unexpected_failure_may_load_nothing() -> None:
    def break_down(_: object) -> None:
        raise RuntimeError

    service = Service()
    service.container.view_task.override(providers.Object(break_down))
    answer = service.app().test_client().get("/task/1")
    assert (answer.status_code, policies(answer)) == (500, [NOTHING])


def test_an_answer_without_storage_may_load_nothing() -> None:
    service = Service(away=True)
    answer = service.client.get("/task/1")
    assert (answer.status_code, policies(answer)) == (503, [NOTHING])


@pytest.mark.parametrize("path", ["/", "/dashboard/tasks", "/dashboard/nothing"])
def test_a_page_keeps_its_own_policy(path: str) -> None:
    answer = Service().client.get(path)
    assert policies(answer) == [CONTENT_SECURITY_POLICY]
    assert answer.headers.getlist(OPTIONS) == ["nosniff"]


@pytest.mark.parametrize("path", ["/ping", "/nothing", "/docs", "/dashboard/tasks"])
def test_a_service_behind_tls_asks_browsers_for_tls(path: str) -> None:
    answer = configured(backend_url="https://example.org/tasks").client.get(path)
    assert answer.headers.getlist(TRANSPORT) == ["max-age=31536000"]


@pytest.mark.parametrize("path", ["/ping", "/dashboard/tasks"])
def test_a_service_without_tls_asks_for_none(path: str) -> None:
    assert TRANSPORT not in configured(backend_url="http://example.org").client.get(path).headers


class TestApiDocs:
    def test_the_page_runs_its_own_script_alone(self) -> None:
        answer = Service().client.get("/docs")
        (script,) = re.findall("<script>(.*?)</script>", answer.text, re.DOTALL)
        (policy,) = policies(answer)
        directives = policy.split("; ")
        digest = b64encode(sha256(script.encode()).digest()).decode()
        assert f"script-src 'self' 'sha256-{digest}'" in directives
        assert {"default-src 'none'", "frame-ancestors 'none'", "connect-src 'self'"} <= set(directives)
        assert "unsafe" not in policy.replace("style-src 'self' 'unsafe-inline'", "")

    def test_the_page_may_call_the_public_address(self) -> None:
        answer = configured(backend_url="https://API.example.org:443/tasks").client.get("/docs")
        assert "connect-src 'self' https://api.example.org;" in policies(answer)[0]
