"""A receiver of callbacks: an HTTP server that records requests and answers as the test says."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Thread


@dataclass(frozen=True)
class ReceivedRequest:
    """One request to a receiver."""

    path: str
    headers: dict[str, str]
    body: bytes
    peer: str


class Receiver(ThreadingHTTPServer):
    """The server.

    - `received`: the requests so far.
    - `answers`: the statuses of the next answers; 200 after them.
    - `location`: the header `Location` of every answer, if not None.
    - `before`: called before each answer.
    """

    daemon_threads = True

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), _Handler)
        self.received: SimpleQueue[ReceivedRequest] = SimpleQueue()
        self.answers: list[int] = []
        self.location: str | None = None
        self.before: Callable[[], object] = bool
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.server_address[0]!s}:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors of connections: tests close some on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.put(ReceivedRequest(self.path, headers, body, self.request.getsockname()[0]))
        self.server.before()
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        if self.server.location:
            self.send_header("location", self.server.location)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def receiving(host: str = "127.0.0.1", secured: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver during the block; with TLS where a context is given."""
    with Receiver(host) as receiver:
        if secured:
            receiver.socket = secured.wrap_socket(receiver.socket, server_side=True)
            receiver.scheme = "https"
        thread = Thread(target=receiver.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()
