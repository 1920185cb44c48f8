"""The listener of a handler or a janitor: its metrics and its health by HTTP, on a port of its own."""

import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from errno import EADDRINUSE
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread

from entrypoints.listening import listening_error
from entrypoints.metrics.exposition import CONTENT_TYPE

REQUEST_SECONDS = 10.0
"""Seconds after which a connection on which nothing comes is closed."""
RETRY_SECONDS = 1.0
"""Seconds between two attempts to listen on a port that another process has."""
JSON = "application/json"
Answer = tuple[int, str, bytes]
log = logging.getLogger(__name__)


class CannotListen(Exception):
    """The host is not an address of this machine, or the port is reserved. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a process: the text of its metrics, and whether it is ready."""

    metrics: Callable[[], bytes]
    is_ready: Callable[[], bool]

    def __call__(self, path: str) -> Answer:
        """The status, the content type and the body of the answer to a GET request."""
        match path.partition("?")[0]:
            case "/metrics":
                return 200, CONTENT_TYPE, self.metrics()
            case "/health/live":
                return 200, JSON, b'{"status":"live"}'
            case "/health/ready" if self.is_ready():
                return 200, JSON, b'{"status":"ready"}'
            case "/health/ready":
                return 503, JSON, b'{"status":"not ready"}'
            case _:
                return 404, JSON, b'{"status":"not found"}'


class Listener:
    """Listens in the background. While another process has the port, as a handler does that drains, it waits for it."""

    def __init__(self, host: str, port: int, answers: Answers) -> None:
        self._host, self._port = host, port
        self._answers = answers

    def start(self) -> None:
        """Start listening. Raises CannotListen."""
        server = self._bound()
        if server is None:
            log.warning("port %d of METRICS_PORT is taken: the metrics wait until it is free", self._port)
        Thread(target=self._serve, args=(server,), name="metrics", daemon=True).start()

    def _bound(self) -> "_Server | None":
        """A server on the port; None if another process has it."""
        try:
            return _Server(self._host, self._port, self._answers)
        except (OSError, UnicodeError) as error:
            if getattr(error, "errno", None) == EADDRINUSE:
                return None
            raise CannotListen(listening_error(self._host, self._port, error, "METRICS_PORT")) from None

    def _serve(self, server: "_Server | None") -> None:
        while server is None:
            time.sleep(RETRY_SECONDS)
            server = self._bound()
        log.info("metrics on port %d", server.server_address[1])
        server.serve_forever()


class _Server(ThreadingMixIn, TCPServer):
    """A server with a thread for each connection, none of which keeps the process alive."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, host: str, port: int, answers: Answers) -> None:
        self.address_family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self.answers = answers
        super().__init__(address, _RequestHandler)  # type: ignore[arg-type]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is none of our business, and an error of ours is one line."""
        log.debug("a request for metrics failed", exc_info=True)


class _RequestHandler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_SECONDS
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "flask-tasks", ""

    def do_GET(self) -> None:
        status, content_type, body = self.server.answers(self.path)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Log no line for each scrape."""
