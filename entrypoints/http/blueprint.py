"""Routes that are documented where they are declared."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from flask import Response, request
from flask_smorest import Blueprint as SmorestBlueprint  # type: ignore[import-untyped]
from marshmallow import Schema

from entrypoints.http.requests.parsing import QueryParser

View = TypeVar("View", bound=Callable[..., Response])


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """Operations under one heading. Their queries are read strictly."""

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
        """The view answers this method and path, with the query first if one is declared.

        Its docstring is the summary and the description of the operation, its name the operation's id.
        """

        def register(view: View) -> View:
            documented = self.doc(operationId=view.__name__, **doc)(view)
            reading = self.arguments(query, location="query")(documented) if query else documented
            self.add_url_rule(
                path, view.__name__, _straight(view, reading, query), methods=[method], parameters=list(parameters)
            )
            return view

        return register


def _straight(view: View, reading: Callable[..., Response], query: Schema | None) -> Callable[..., Response]:
    """Answers as `reading` does, whose documentation it has; but goes round its wrappers where there is no query."""

    @wraps(reading)
    def with_query(**path: Any) -> Response:
        return reading(**path) if request.environ.get("QUERY_STRING") else view({}, **path)

    @wraps(reading)
    def without_query(**path: Any) -> Response:
        return view(**path)

    return with_query if query else without_query
