"""Answers arrive, and arrive as they are: bodies that are not read, empty bodies, and caches."""

from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.unit.http_service import Service, configured
from tests.unit.test_http_errors import check_form

NUMBER = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}'
MEBIBYTE = 1024 * 1024


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("count", schema=NUMBER)
    service.publish("nothing", schema='{"type":"object","additionalProperties":false}')
    return service


def sent(service: Service, size: int, method: str = "POST", path: str = "/task/new", **environ: Any) -> tuple[int, int]:
    """Send a body of that many bytes. The code of the answer, and the bytes that were not read."""
    stream = BytesIO(b" " * size)
    body = {"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_LENGTH": str(size), **environ}
    answer = service.client.open(path, method=method, content_type="application/json", environ_overrides=body)
    # The server sends the answer piece by piece, and is asked for the next piece to the end.
    answer.get_data()
    return answer.status_code, size - stream.tell()


class TestUnreadBodies:
    @pytest.mark.parametrize(
        ("method", "path", "headers", "code"),
        [
            ("POST", "/task/new", {}, 413),
            ("POST", "/task/new", {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}, 413),
            ("POST", "/task/new", {"HTTP_ORIGIN": "https://evil.example.org"}, 403),
            ("POST", "/task/new", {"HTTP_HOST": "evil.example.org"}, 421),
            ("POST", "/task/new", {"HTTP_CONTENT_ENCODING": "br"}, 415),
            ("POST", "/task/new", {"QUERY_STRING": "nonsense=1"}, 422),
            ("POST", "/nothing", {}, 404),
            ("PUT", "/tasks", {}, 405),
            ("DELETE", "/task/7", {}, 404),
            ("GET", "/ping", {}, 200),
        ],
    )
    def test_a_body_that_is_not_read_is_dropped_behind_the_answer(
        self, service: Service, method: str, path: str, headers: dict[str, str], code: int
    ) -> None:
        assert sent(service, 3 * MEBIBYTE, method, path, **headers) == (code, 0)

    def test_a_body_of_many_tasks_beyond_the_limit_is_dropped(self, service: Service) -> None:
        assert sent(service, 33 * MEBIBYTE, path="/tasks") == (413, 0)

    def test_no_more_than_64_mib_of_a_body_are_dropped(self, service: Service) -> None:
        assert sent(service, 80 * MEBIBYTE) == (413, 16 * MEBIBYTE)

    def test_a_body_that_its_client_sends_only_when_asked_is_not_asked_for(self, service: Service) -> None:
        size = 3 * MEBIBYTE
        assert sent(service, size, HTTP_EXPECT="100-continue") == (413, size)


class TestEmptyBodies:
    def post(self, service: Service, path: str, content_type: str | None = None) -> TestResponse:
        return service.client.post(path, content_type=content_type)

    @pytest.mark.parametrize("content_type", [None, "application/json"])
    @pytest.mark.parametrize("path", ["/task/new/nothing", "/task/new"])
    def test_an_empty_body_is_an_empty_object(self, service: Service, path: str, content_type: str | None) -> None:
        answer = self.post(service, path, content_type)
        assert (answer.status_code, answer.get_json()["args"]) == (201, {})

    def test_an_empty_body_in_chunks_is_400(self, service: Service) -> None:
        """A body that breaks off at its start looks the same."""
        assert sent(service, 0, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked") == (400, 0)

    def test_an_empty_body_names_the_arguments_that_are_missing(self, service: Service) -> None:
        error = check_form(self.post(service, "/task/new/count"), 422)
        assert error["errors"] == {"json": {"$.n": ["is required"]}}

    def test_an_empty_body_of_another_content_type_is_415(self, service: Service) -> None:
        check_form(self.post(service, "/task/new/nothing", "application/x-www-form-urlencoded"), 415)

    @pytest.mark.parametrize("content_type", [None, "application/json"])
    def test_an_empty_batch_of_tasks_needs_its_brackets(self, service: Service, content_type: str | None) -> None:
        check_form(self.post(service, "/tasks", content_type), 400)

    def test_the_document_says_which_functions_need_a_body(self, service: Service) -> None:
        paths = service.client.get("/openapi.json").get_json()["paths"]
        required = {path: paths[path]["post"]["requestBody"]["required"] for path in paths if "/new" in path}
        assert required == {
            "/task/new": False,
            "/task/new/{type}": False,
            "/task/new/count": True,
            "/task/new/nothing": False,
        }


class TestCaches:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/task/new"),
            ("GET", "/task/1"),
            ("GET", "/task/1/view"),
            ("GET", "/task/1/log"),
            ("GET", "/task/1/events"),
            ("POST", "/task/1/cancel"),
            ("POST", "/task/1/retry"),
            ("GET", "/tasks"),
            ("GET", "/tasks/counts"),
            ("GET", "/types"),
            ("GET", "/handlers"),
            ("GET", "/stats"),
            ("GET", "/task/7"),
            ("HEAD", "/task/1"),
            ("GET", "/health/ready"),
        ],
    )
    def test_no_cache_keeps_an_answer_about_tasks(self, method: str, path: str) -> None:
        service = configured(http_waiters=0)
        service.submit({})
        if "retry" in path:
            service.client.post("/task/1/cancel")
        with service.client.open(path, method=method) as answer:
            assert answer.headers.getlist("Cache-Control") == ["no-store"]
