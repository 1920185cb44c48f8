"""Errors over HTTP: every error is JSON in one form, without a stack trace."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from application.errors import StorageConflict
from entrypoints.containers.injector import providers
from entrypoints.http.requests.body import CHARSETS
from tests.unit.http_service import Service, configured


@pytest.fixture
def service() -> Service:
    return Service()


def post(service: Service, data: bytes, content_type: str | None = "application/json", **more: Any) -> TestResponse:
    return service.client.post("/task/new", data=data, content_type=content_type, **more)


def check_form(answer: TestResponse, code: int) -> dict[str, Any]:
    """Check the form of an error, and return it."""
    assert answer.status_code == code, answer.text
    assert answer.content_type == "application/json"
    error = answer.get_json()
    assert error["code"] == code
    assert isinstance(error["status"], str)
    assert error["message"]
    assert list(error) in (["code", "status", "message"], ["code", "status", "message", "errors"])
    assert "Traceback" not in answer.text
    return error


@pytest.mark.parametrize(
    "path", ["/nothing", "/task", "/task/", "/tasks//", "/task//view", "/task/1/2/3", "/%00", "/docs/x"]
)
def test_an_unknown_path_is_404(service: Service, path: str) -> None:
    check_form(service.client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/task/1/cancel", {"POST", "OPTIONS"}),
        ("GET", "/task/new", {"POST", "OPTIONS"}),
        ("DELETE", "/task/new/", {"POST", "OPTIONS"}),
        ("PUT", "/task/new/add", {"POST", "OPTIONS"}),
        ("PATCH", "/task/1", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("POST", "/task/1/view", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/tasks", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("TRACE", "/ping", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_an_unsupported_method_is_405_with_the_allowed_methods(
    service: Service, method: str, path: str, allowed: set[str]
) -> None:
    answer = service.client.open(path, method=method)
    check_form(answer, 405)
    assert set(answer.allow) == allowed


@pytest.mark.parametrize("path", ["/task/1", "/task/1/view", "/tasks", "/types", "/ping", "/docs", "/openapi.json"])
def test_head_answers_as_get_without_the_body(service: Service, path: str) -> None:
    service.submit({})
    head, get = service.client.head(path), service.client.get(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_options_answers_with_the_allowed_methods(service: Service) -> None:
    answer = service.client.options("/task/1")
    assert answer.status_code == 200
    assert set(answer.allow) == {"GET", "HEAD", "DELETE", "OPTIONS"}


@pytest.mark.parametrize("path", ["/task/new/", "/task/new/default/"])
def test_a_trailing_slash_is_ignored(service: Service, path: str) -> None:
    assert service.client.post(path, json={}).status_code == 201
    assert service.client.get("/task/1/").status_code == 200


class TestBodies:
    @pytest.mark.parametrize(
        "data",
        [b" ", b"{", b"{}{}", b'{"a":1,}', b"{'a':1}", b"nul", b'{"a":\xff}', b"\xff\xfe{\x00}\x00", b"\x00",
         b"[" * 9, b'{"a":"\x00"}', b'{"a":01}', b'{"\xed\xa0\x80":1}', b"a=1", b"\xef\xbb\xbf"],
    )  # fmt: skip
    def test_a_body_that_is_not_json_is_400(self, service: Service, data: bytes) -> None:
        check_form(post(service, data), 400)

    @pytest.mark.parametrize(
        ("data", "path"),
        [
            (b'{"a":NaN}', "$.a"),
            (b'{"a":[1,-Infinity]}', "$.a.1"),
            (b'{"a":1e999}', "$.a"),
            (b'{"a":{"b":"\\ud800"}}', "$.a.b"),
            (b'{"a":1,"a":2}', "$"),
            (b'{"a":' + b"9" * 4301 + b"}", "$.a"),
            (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "$"),
        ],
    )
    def test_a_value_that_cannot_be_stored_is_422_with_its_path(self, service: Service, data: bytes, path: str) -> None:
        error = check_form(post(service, data), 422)
        assert list(error["errors"]["json"]) == [path]
        assert service.client.get("/task/1").status_code == 404

    @pytest.mark.parametrize("data", [b"[]", b"1", b"null", b'"a"', b"true"])
    def test_a_body_that_is_not_an_object_is_422(self, service: Service, data: bytes) -> None:
        check_form(post(service, data), 422)

    @pytest.mark.parametrize(
        "content_type",
        [None, "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data", "application",
         "application/json; charset=latin-1", "application/json; charset=utf-16", "application/json5", "é", ";", "*/*"],
    )  # fmt: skip
    def test_another_content_type_is_415(self, service: Service, content_type: str | None) -> None:
        check_form(post(service, b"{}", content_type), 415)

    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "Application/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"',
         "application/json; odata=verbose", "application/vnd.api+json",
         *(f"application/json;charset={charset}" for charset in CHARSETS)],
    )  # fmt: skip
    def test_every_content_type_of_json_is_accepted(self, service: Service, content_type: str) -> None:
        assert post(service, b"{}", content_type).status_code == 201

    def test_a_byte_order_mark_is_accepted(self, service: Service) -> None:
        assert post(service, b'\xef\xbb\xbf{"a":1}').get_json()["args"] == {"a": 1}

    def test_a_body_beyond_the_limit_is_413_and_one_at_the_limit_is_accepted(self) -> None:
        service = configured(max_body=1024)
        largest = b'{"a":"' + b"x" * (1024 - 8) + b'"}'
        assert post(service, largest).status_code == 201
        error = check_form(post(service, largest + b" "), 413)
        assert "1024" in error["message"]

    def test_a_body_without_a_length_is_read_to_its_end(self) -> None:
        service = configured(max_body=1024)
        assert chunked(service, b'{"a":"b"}').status_code == 201
        check_form(chunked(service, b" " * 1025), 413)
        check_form(chunked(service, b""), 400)

    @pytest.mark.parametrize("length", ["100", "99999"])
    def test_an_incomplete_body_is_400_and_stores_nothing(self, service: Service, length: str) -> None:
        broken = streamed(service, b'{"a":1}', CONTENT_LENGTH=length)
        check_form(broken, 400)
        assert service.client.get("/task/1").status_code == 404


class Stream:
    """A stream that returns at most two bytes at a time, as a network may."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        taken = min(2, size if size >= 0 else 2)
        now, self._data = self._data[:taken], self._data[taken:]
        return now


def streamed(service: Service, data: bytes, **environment: str) -> TestResponse:
    """Post the data as from a server that knows where the body ends."""
    server = {"wsgi.input": Stream(data), "wsgi.input_terminated": True, **environment}
    return service.client.post("/task/new", content_type="application/json", environ_overrides=server)


def chunked(service: Service, data: bytes) -> TestResponse:
    return streamed(service, data, HTTP_TRANSFER_ENCODING="chunked")


class TestOutages:
    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/task/1"), ("GET", "/task/1/view"), ("GET", "/tasks"), ("GET", "/types"), ("GET", "/handlers"),
         ("GET", "/stats"),
         ("GET", "/health/ready"),
         ("POST", "/task/1/cancel"), ("POST", "/task/1/retry"), ("DELETE", "/task/1"),
         ("DELETE", "/types/default/limits")],
    )  # fmt: skip
    def test_operations_answer_503_with_retry_after(self, service: Service, method: str, path: str) -> None:
        service.away = True
        answer = service.client.open(path, method=method)
        check_form(answer, 503)
        assert answer.headers["Retry-After"] == "1"

    def test_submit_answers_503(self, service: Service) -> None:
        service.away = True
        check_form(post(service, b"{}"), 503)

    def test_a_storage_conflict_is_503(self, service: Service) -> None:
        def conflict(_: object) -> None:
            raise StorageConflict

        service.container.delete_task.override(providers.Object(conflict))
        check_form(service.app().test_client().delete("/task/1"), 503)

    @pytest.mark.parametrize("path", ["/ping", "/health/live", "/docs", "/openapi.json", "/docs/swagger-ui.css"])
    def test_paths_without_database_access_answer_200(self, service: Service, path: str) -> None:
        service.away = True
        with service.client.get(path) as answer:
            assert answer.status_code == 200

    def test_health_answers_have_one_word(self, service: Service) -> None:
        assert service.client.get("/ping").get_json() == {"status": "online"}
        assert service.client.get("/health/live").get_json() == {"status": "live"}
        assert service.client.get("/health/ready").get_json() == {"status": "ready"}


def test_an_unexpected_error_is_500_and_its_text_is_only_in_the_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(_: object) -> None:
        raise RuntimeError("SELECT secret")

    service.container.view_task.override(providers.Object(break_down))
    answer = service.app().test_client().get("/task/1")
    assert "secret" not in json.dumps(check_form(answer, 500))
    assert "SELECT secret" in caplog.text
