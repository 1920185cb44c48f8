"""A blueprint whose operations are documented where they are declared."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from flask import Response, request
from flask_smorest import Blueprint as SmorestBlueprint  # type: ignore[import-untyped]
from marshmallow import Schema

from entrypoints.http.access.needs import Need, needing
from entrypoints.http.openapi.describe import common_responses
from entrypoints.http.requests.parsing import QueryParser
from entrypoints.http.requests.queries import NoQuery

View = TypeVar("View", bound=Callable[..., Response])


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """Operations under one heading of the OpenAPI document. Undeclared query parameters are refused."""

    ARGUMENTS_PARSER = QueryParser()

    def operation(
        self,
        method: str,
        path: str,
        *,
        needs: Need,
        query: Schema | None = None,
        parameters: Sequence[dict[str, Any]] = (),
        headers: Sequence[dict[str, Any]] = (),
        responses: dict[int, Any],
        **doc: Any,
    ) -> Callable[[View], View]:
        """Register a view for a method and a path. A view with a `query` receives the parsed query as first argument.

        `needs`: the access that its senders need.

        The `parameters` belong to every operation of the path, the `headers` to this one, which must have no query.
        The docstring of the view is the summary and the description of the operation, and its name is the
        `operationId`.
        """

        def register(view: View) -> View:
            own = {"parameters": list(headers)} if headers else {}
            documented = self.doc(
                operationId=view.__name__, responses=common_responses(method, needs) | responses, **own, **doc
            )(_with_query(view, query))
            parsing = self.arguments(query or NoQuery(), location="query")(documented)
            respond = needing(needs, _shortcut(documented, parsing))
            self.add_url_rule(path, view.__name__, respond, methods=[method], parameters=list(parameters))
            return view

        return register


def _with_query(view: Callable[..., Response], query: Schema | None) -> Callable[..., Response]:
    """Let the view take a query, which is empty where the operation declares none."""
    if query:
        return view

    @wraps(view)
    def ignoring_query(_: dict[str, Any], **path: Any) -> Response:
        return view(**path)

    return ignoring_query


def _shortcut(view: Callable[..., Response], parsing: Callable[..., Response]) -> Callable[..., Response]:
    """Wrap `parsing` with its documentation, and call the view directly where a request has no query to parse."""

    @wraps(parsing)
    def shortcut(**path: Any) -> Response:
        return parsing(**path) if request.environ.get("QUERY_STRING") else view({}, **path)

    return shortcut
