"""Answers made of JSON text."""

from collections.abc import Mapping

from flask import Response

JSON = "application/json"


def json_answer(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is this text."""
    return Response(text, status, headers, content_type=JSON)


def no_content() -> Response:
    """An answer that has nothing to say: 204."""
    answer = Response(status=204)
    del answer.content_type
    return answer
