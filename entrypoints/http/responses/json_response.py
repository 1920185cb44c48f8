"""Answers made of JSON text."""

from collections.abc import Mapping
from typing import Any

from flask import Response

JSON = "application/json"


class JsonResponse(Response):
    """Goes out as it is, in one piece: werkzeug would look for what to correct, and a server send it bit by bit.

    What any JSON needs is added on the way out: among the headers each costs as much as a view of the task.
    """

    default_mimetype = None

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str] | None) -> None:
        super().__init__([body], status, headers)
        self._body = body

    def __call__(self, environ: Any, start_response: Any) -> Any:
        own = ("Content-Type", JSON), ("Content-Length", str(len(self._body)))
        start_response(self.status, [*own, *self.headers])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self.response


def json_response(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is this text."""
    return JsonResponse(text.encode(), status, headers)


def no_content(headers: Mapping[str, str] | None = None) -> Response:
    """An answer that has nothing to say: 204."""
    answer = Response(status=204, headers=headers)
    del answer.content_type
    return answer
