"""A blueprint whose operations are documented where they are declared."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from flask import Response, request
from flask_smorest import Blueprint as SmorestBlueprint  # type: ignore[import-untyped]
from marshmallow import Schema

from entrypoints.http.openapi.describe import access_responses
from entrypoints.http.requests.parsing import QueryParser

View = TypeVar("View", bound=Callable[..., Response])


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """Operations under one heading of the OpenAPI document. Unknown query parameters are refused."""

    ARGUMENTS_PARSER = QueryParser()

    def operation(
        self,
        method: str,
        path: str,
        *,
        query: Schema | None = None,
        parameters: Sequence[dict[str, Any]] = (),
        **doc: Any,
    ) -> Callable[[View], View]:
        """Register a view for a method and a path. A view with a `query` receives the parsed query as first argument.

        The docstring of the view is the summary and the description of the operation, and its name is the
        `operationId`.
        """

        def register(view: View) -> View:
            responses = {**doc.pop("responses"), **access_responses(method)}
            documented = self.doc(operationId=view.__name__, responses=responses, **doc)(view)
            parsing = self.arguments(query, location="query")(documented) if query else documented
            self.add_url_rule(
                path, view.__name__, _shortcut(view, parsing, query), methods=[method], parameters=list(parameters)
            )
            return view

        return register


def _shortcut(view: View, parsing: Callable[..., Response], query: Schema | None) -> Callable[..., Response]:
    """Wrap `parsing` with its documentation, and call the view directly where a request has no query to parse."""

    @wraps(parsing)
    def with_query(**path: Any) -> Response:
        return parsing(**path) if request.environ.get("QUERY_STRING") else view({}, **path)

    @wraps(parsing)
    def without_query(**path: Any) -> Response:
        return view(**path)

    return with_query if query else without_query
