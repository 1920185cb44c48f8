"""The receiver of callbacks, which answers some of them with errors."""

from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Lock, Thread
from time import time

from tests.chaos.history import Call

WEBHOOK_SECRET = "whsec_" + b64encode(b"a secret of the chaos suite").decode()
FAILURE_SHARE = 0.2


class Receiver:
    """The server of the callbacks' address. `is_reliable`: whether it accepts every call; False until it is set."""

    def __init__(self) -> None:
        self.is_reliable = False
        self.calls: list[Call] = []
        self._mutex, self._random = Lock(), Random(7)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                is_acknowledged = receiver.receive(self.headers["webhook-id"])
                self.send_response(204 if is_acknowledged else 503)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        Thread(target=self._server.serve_forever, name="receiver", daemon=True).start()

    def receive(self, event: str) -> bool:
        """Record a call. Whether to acknowledge it."""
        with self._mutex:
            is_acknowledged = self.is_reliable or self._random.random() >= FAILURE_SHARE
            self.calls.append(Call(event, time(), is_acknowledged))
        return is_acknowledged

    def close(self) -> None:
        """Accept no more calls."""
        self._server.shutdown()
        self._server.server_close()
