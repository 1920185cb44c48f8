"""Responses made of JSON text."""

from collections.abc import Mapping
from typing import Any

from flask import Response

JSON = "application/json"
NO_STORE = {"Cache-Control": "no-store"}
"""Header of an answer that may be another one at the next request: no cache keeps it."""
COMMON_HEADERS = (("Content-Type", JSON), *NO_STORE.items())


class JsonResponse(Response):
    """A response that is sent unchanged and in one piece, without the corrections of werkzeug.

    The headers that every JSON response has are added while it is sent: each of them costs as much time as the view of
    a task if werkzeug adds it.
    """

    default_mimetype = None

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str] | None) -> None:
        super().__init__([body], status, headers)
        self._body = body

    def __call__(self, environ: Any, start_response: Any) -> Any:
        length = ("Content-Length", str(len(self._body)))
        start_response(self.status, [*COMMON_HEADERS, length, *self.headers])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self.response


def json_response(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Make a response of a JSON text."""
    return JsonResponse(text.encode(), status, headers)


def no_content(headers: Mapping[str, str] | None = None) -> Response:
    """Make a response with status 204 and no body."""
    response = Response(status=204, headers=headers)
    del response.content_type
    return response
