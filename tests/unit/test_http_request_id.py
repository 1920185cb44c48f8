"""The id of a request: in every answer, and in the log lines of the request."""

import logging
import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from application.log_lines import KEYS_OF_RECORD
from entrypoints.http.requests.request_id import RequestIds, RequestKeys
from tests import steps
from tests.unit.http_service import Service, configured

NEW_ID = re.compile(r"[0-9a-f]{32}")
SECRET = "tiger"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.mark.parametrize(
    ("path", "code"), [("/ping", 200), ("/", 200), ("/nothing", 404), ("/task/7", 404), ("/task/new", 405)]
)
def test_every_answer_has_a_new_id(service: Service, path: str, code: int) -> None:
    answers = [service.client.get(path) for _ in range(2)]
    assert [each.status_code for each in answers] == [code] * 2
    ids = [each.headers["X-Request-Id"] for each in answers]
    assert NEW_ID.fullmatch(ids[0])
    assert ids[0] != ids[1]


def test_an_answer_of_an_unavailable_database_has_an_id(service: Service) -> None:
    service.away = True
    assert service.client.get("/tasks").headers["X-Request-Id"]


@pytest.mark.parametrize("given", ["a", "7f3c-22.Ab_c", "x" * 128, "Root=1-67891233-abcdef012345678912345678"])
def test_a_sane_id_of_the_caller_is_kept(service: Service, given: str) -> None:
    assert service.client.get("/ping", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "é", 'a"', "a,b", "-a", "<a>", "a\x7f"])
def test_another_id_is_replaced(service: Service, given: str) -> None:
    answer = service.client.get("/ping", headers={"X-Request-Id": given})
    assert NEW_ID.fullmatch(answer.headers["X-Request-Id"])


def test_pages_of_allowed_origins_may_send_and_read_it() -> None:
    service = configured(frontend_url=("https://app.example.org",))
    answer = service.client.get("/ping", headers={"Origin": "https://app.example.org"})
    assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
    headers = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"}
    assert (
        "X-Request-Id" in service.client.options("/task/new", headers=headers).headers["Access-Control-Allow-Headers"]
    )


def test_the_lines_of_a_request_name_it(caplog: pytest.LogCaptureFixture) -> None:
    filter = RequestKeys()

    def app(*_: object) -> list[bytes]:
        record = logging.LogRecord("any", logging.INFO, "", 0, "a line", (), None)
        vars(record)[KEYS_OF_RECORD] = {"task": 7}
        filter.filter(record)
        assert getattr(record, KEYS_OF_RECORD) == {"task": 7, "request": "r1", "trace": TRACE[3:35]}
        return [b"seen"]

    assert RequestIds(app)({"HTTP_X_REQUEST_ID": "r1", "HTTP_TRACEPARENT": TRACE}, None) == [b"seen"]


@pytest.fixture
def access_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG, "entrypoints.http.responses.access_lines"):
        yield caplog


def test_an_access_line_has_method_path_and_status_and_no_query(access_log: pytest.LogCaptureFixture) -> None:
    service = Service(has_own_app=True)
    service.client.post(f"/task/new?delay={SECRET}", json={"required_arg": SECRET}, buffered=True)
    (record,) = access_log.records
    assert re.fullmatch(r"POST /task/new: 422 in \d+\.\d ms", record.getMessage())
    found = SimpleNamespace(**getattr(record, KEYS_OF_RECORD))
    assert (found.method, found.path, found.status) == ("POST", "/task/new", 422)
    assert 0 < found.seconds < 60
    assert SECRET not in access_log.text


def test_no_access_line_is_made_where_none_would_be_logged(caplog: pytest.LogCaptureFixture) -> None:
    Service(has_own_app=True).client.get("/ping")
    assert caplog.messages == []


@pytest.mark.parametrize(("given", "kept"), [(TRACE, TRACE), ("tiger", None), (None, None)])
@pytest.mark.parametrize(
    ("path", "body"), [("/task/new", {"required_arg": 1}), ("/tasks", [{"type": "default", "args": {}}])]
)
def test_a_task_has_the_trace_of_its_request(
    service: Service, path: str, body: object, given: str | None, kept: str | None
) -> None:
    headers = {"traceparent": given} if given else {}
    assert service.client.post(path, json=body, headers=headers).status_code == 201
    assert steps.stored(service.storage, 1).task.traceparent == kept
