"""The rest of a body that an operation did not read: it is dropped, so that the client sees the answer.

A client that is still sending while its connection is closed sees a broken pipe instead.
"""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from threading import BoundedSemaphore
from typing import Any

from entrypoints.http.flask_app import BODY_IS_READ, WsgiApp

MAX_DROPPED_BYTES, PIECE_BYTES = 64 * 1024 * 1024, 64 * 1024
MAX_DROPPED_BODIES = 64  # at once, since each keeps a thread until its client has sent it or is gone


class UnreadBodies:
    """WSGI middleware that answers a request whose body was not read, and then drops a bounded rest of the body."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._dropping = BoundedSemaphore(MAX_DROPPED_BODIES)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        answer = self._app(environ, start_response)
        return self._answer_and_drop(answer, environ) if has_unread_body(environ) else answer

    def _answer_and_drop(self, answer: Any, environ: Any) -> Iterator[bytes]:
        with closing(answer) if hasattr(answer, "close") else nullcontext():
            yield from answer
        if self._dropping.acquire(blocking=False):
            try:
                drop(environ["wsgi.input"])
            finally:
                self._dropping.release()


def has_unread_body(environ: Any) -> bool:
    """Whether a request has a body that was not read to its end, and that its client sends unasked."""
    if BODY_IS_READ in environ or "HTTP_EXPECT" in environ:
        return False
    return environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ


def drop(stream: Any) -> None:
    """Read a stream up to its end, or MAX_DROPPED_BYTES of it, and keep nothing."""
    left = MAX_DROPPED_BYTES
    while left > 0 and (piece := stream.read(min(PIECE_BYTES, left))):
        left -= len(piece)
