"""Answers made of JSON text."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from werkzeug.datastructures import Headers

JSON = "application/json"


class JsonResponse(Response):
    """Goes out as it is, in one piece: werkzeug would look for what to correct, and a server send it bit by bit."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        start_response(self.status, list(self.headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self.response


def json_answer(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is this text."""
    body = text.encode()
    own = ("Content-Type", JSON), ("Content-Length", str(len(body)))
    return JsonResponse([body], status, Headers([*own, *headers.items()] if headers else own))


def no_content(headers: Mapping[str, str] | None = None) -> Response:
    """An answer that has nothing to say: 204."""
    answer = Response(status=204, headers=headers)
    del answer.content_type
    return answer
