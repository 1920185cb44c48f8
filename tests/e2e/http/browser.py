"""A real browser that reaches this machine alone: every name of example.org leads to it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="this machine has no chromium to open the page with")


def page_in_browser(address: str, profile: Path) -> str:
    """The page in the browser after its scripts have run, without a network beyond this machine."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
        "--host-resolver-rules=MAP *.example.org 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--virtual-time-budget=10000", "--dump-dom", address,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


class Pages(ThreadingHTTPServer):
    """A server of one page, whatever the path: the page sends a request, and shows the answer or the error."""

    page = ""

    def send_request(self, address: str, options: str) -> None:
        """Let the page call `fetch` with the address and the options."""
        self.page = (
            f"<body>waiting<script>fetch({address!r}, {options}).then(answer => answer.text())"
            ".catch(String).then(text => { document.body.textContent = `shown: ${text}` })</script>"
        )


class _Handler(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.server.page.encode())

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def served_pages() -> Iterator[Pages]:
    """Serve pages on a port of their own."""
    with Pages(("127.0.0.1", 0), _Handler) as pages:
        Thread(target=pages.serve_forever, daemon=True).start()
        yield pages
        pages.shutdown()
