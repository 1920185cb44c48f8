"""The page at /docs in a real browser, straight and behind a proxy that strips a prefix."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.e2e.http.browser import needs_browser, page_in_browser
from tests.e2e.service import Service

PREFIX = "/tasks/api"
pytestmark = needs_browser


class Proxy(ThreadingHTTPServer):
    """Forwards the requests below the prefix to a service, without the prefix."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}{PREFIX}"
        self.service: Service
        Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        known = self.path.startswith(PREFIX)
        answer = self.server.service.client.get(self.path.removeprefix(PREFIX) if known else "/beyond-the-prefix")
        self.send_response(answer.status_code)
        for name in ("Content-Type", "Location"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as proxy:
        yield proxy
        proxy.shutdown()


def check_page(page: str) -> None:
    assert "Submit many tasks" in page
    assert "/task/{id}/retry" in page.replace("<wbr>", "").replace("\u200b", "")
    assert "Failed to load" not in page


def test_docs_page_shows_every_operation(start: Callable[..., Service], tmp_path: Path) -> None:
    check_page(page_in_browser(f"http://127.0.0.1:{start().port}/docs", tmp_path / "profile"))


def test_docs_page_shows_every_operation_behind_a_prefix(
    start: Callable[..., Service], proxy: Proxy, tmp_path: Path
) -> None:
    proxy.service = start(BACKEND_URL=proxy.address)
    page = page_in_browser(f"{proxy.address}/docs", tmp_path / "profile")
    check_page(page)
    assert proxy.address in page
