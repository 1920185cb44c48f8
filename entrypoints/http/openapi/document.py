"""The OpenAPI document: what all operations share, and what the published types add to it."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from flask import Flask, Response
from flask_smorest import Api  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from application.errors import StorageUnavailable
from application.known_types import KnownTypes
from application.ports.argument_checker import ArgumentChecker
from domain.task_type import TaskType
from entrypoints.http.openapi.published_types import describe_published_types
from entrypoints.http.openapi.schemas import SCHEMAS, ErrorSchema
from entrypoints.http.responses.errors import http_error_response
from entrypoints.http.responses.json_response import json_response
from entrypoints.settings import Settings

DESCRIPTION = """
Send JSON to a function, read its result a moment later: by looking, by waiting for it (`?wait=20`), by following its
events, or by a callback.

A task is `waiting`, `running`, `done`, `failed` or `cancelled`. Arguments and results are JSON and come back as they
went in; what cannot be kept so is refused with 422 and the path of the place. Moments are Unix seconds.

A request with an `Idempotency-Key` may be sent again without harm. Errors have one form everywhere; 503 says with
`Retry-After` when to come again.
""".strip()

SWAGGER_UI = {
    "url": "openapi.json",
    "deepLinking": True,
    "tryItOutEnabled": True,
    "defaultModelsExpandDepth": 0,
    "validatorUrl": None,
}
"""The page's own links are relative, so that it works behind any prefix; it asks nobody else for anything."""


def configuration(settings: Settings) -> Mapping[str, Any]:
    """What flask-smorest takes from the app's configuration."""
    return {
        "API_TITLE": "flask-tasks",
        "API_VERSION": "1",
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/",
        "OPENAPI_SWAGGER_UI_PATH": "/docs",
        "OPENAPI_SWAGGER_UI_URL": "docs/",
        "OPENAPI_SWAGGER_UI_CONFIG": SWAGGER_UI,
        "API_SPEC_OPTIONS": {
            "info": {"description": DESCRIPTION},
            "servers": [{"url": settings.backend_url or "/"}],
        },
    }


class TaskApi(Api):  # type: ignore[misc]
    """The API with its document. Errors are answered in one form, with the headers that belong to them."""

    ERROR_SCHEMA = ErrorSchema
    # Every operation names its errors, each with its reason.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask, types: KnownTypes, checker: ArgumentChecker) -> None:
        super().__init__(app)
        self._types = types
        self._checker = checker
        self._made: tuple[Sequence[TaskType] | None, str] = None, ""
        """The document as it was made last, and of which types."""
        for name, schema in SCHEMAS.items():
            self.spec.components.schema(name, schema)

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Like flask-smorest's, but keeps the headers of the error."""
        return http_error_response(error)

    def _register_pagination_header(self) -> None:
        """Pages go on by a cursor in the body; a header of flask-smorest's would be described and never sent."""

    def _openapi_json(self) -> Response:
        types = self._published()
        shown, text = self._made
        if shown != types:
            document = deepcopy(self.spec.to_dict())
            describe_published_types(document, types, self._checker)
            text = json.dumps(document, indent=1)
            self._made = types, text
        return json_response(text)

    def _published(self) -> Sequence[TaskType]:
        """The known types; none while the database is away, when the document is of use all the same."""
        try:
            return [known.type for known in self._types.all().values()]
        except StorageUnavailable:
            return []
