"""Pages of other sites in a real browser: they change nothing and read nothing unless FRONTEND_URL allows it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.http.browser import Pages, needs_browser, page_in_browser, served_pages
from tests.e2e.http.wire import answer_to
from tests.e2e.service import Service

CHANGE = "{method: 'POST', mode: 'no-cors'}"
SUBMIT = """{method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{"a": 1}'}"""


@pytest.fixture
def pages() -> Iterator[Pages]:
    with served_pages() as pages:
        yield pages


@needs_browser
@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1"])
@pytest.mark.parametrize("path", ["/tasks/cancel", "/task/{id}/cancel"])
def test_a_foreign_page_cancels_no_task(service: Service, pages: Pages, tmp_path: Path, host: str, path: str) -> None:
    id = service.submit()["id"]
    pages.send_request(f"http://127.0.0.1:{service.port}{path.format(id=id)}", CHANGE)
    assert "shown: " in page_in_browser(f"http://{host}:{pages.server_port}/", tmp_path / "profile")
    assert service.view(id)["status"] == "waiting"


@needs_browser
def test_an_allowed_page_submits_a_task_and_reads_the_answer(
    start: Callable[..., Service], pages: Pages, tmp_path: Path
) -> None:
    origin = f"http://app.example.org:{pages.server_port}"
    service = start(FRONTEND_URL=origin)
    pages.send_request(f"http://127.0.0.1:{service.port}/task/new", SUBMIT)
    assert '"id":1' in page_in_browser(f"{origin}/", tmp_path / "profile")
    assert service.view(1)["args"] == {"a": 1}


@needs_browser
def test_a_foreign_name_that_points_at_this_machine_reads_nothing(service: Service, tmp_path: Path) -> None:
    id = service.submit(args={"secret": "abc"})["id"]
    shown = page_in_browser(f"http://evil.example.org:{service.port}/task/{id}", tmp_path / "profile")
    assert "BACKEND_URL" in shown
    assert "abc" not in shown


def test_a_service_on_loopback_answers_foreign_origins_and_hosts_with_json(service: Service) -> None:
    own = {"Origin": f"http://127.0.0.1:{service.port}"}
    assert service.client.post("/task/new", json={}, headers=own).status_code == 201
    foreign_origin = service.client.post("/tasks/cancel", headers={"Origin": "https://evil.example.org"})
    foreign_host = service.client.get("/tasks", headers={"Host": "evil.example.org"})
    for answer, code in ((foreign_origin, 403), (foreign_host, 421)):
        assert (answer.status_code, answer.json()["code"]) == (code, code)
    assert answer_to(service, b"GET /ping HTTP/1.0\r\n\r\n").split(b" ")[1] == b"200"


def test_a_service_that_others_reach_serves_every_name(start: Callable[..., Service]) -> None:
    service = start(HOST="0.0.0.0")
    for host in ("api:5000", "tasks.example.org", "10.0.0.1"):
        assert service.client.get("/ping", headers={"Host": host}).json() == {"status": "online"}
        origin = {"Host": host, "Origin": f"https://{host}"}
        assert service.client.post("/task/new", json={}, headers=origin).status_code == 201
