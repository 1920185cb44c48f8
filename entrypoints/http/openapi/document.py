"""The OpenAPI document of the API, with an operation for each published type."""

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
from entrypoints.http.access.current import NOTHING, current_access
from entrypoints.http.openapi.api_key_schemas import API_KEY_SCHEMAS
from entrypoints.http.openapi.batch_schemas import BATCH_SCHEMAS
from entrypoints.http.openapi.published_types import describe_published_types
from entrypoints.http.openapi.schemas import SCHEMAS, ErrorSchema
from entrypoints.http.openapi.shared import share_repeated_parts
from entrypoints.http.openapi.swagger_ui import swagger_ui_response
from entrypoints.http.responses.errors import http_error_response
from entrypoints.http.responses.json_response import json_response
from entrypoints.settings import Settings

DESCRIPTION = """
A task runs a function with JSON arguments in the background. A client submits the task and reads its result later: it
views the task, waits for it (`?wait=20`), follows its events, or receives a callback.

The API is open to all who reach it until somebody makes an API key; then each request needs one, in the header
`Authorization: Bearer ft_…`.

The status of a task is `waiting`, `running`, `done`, `failed` or `cancelled`. Arguments and results are JSON values and
are returned exactly as they were sent. Values that cannot be stored exactly are refused with 422 and the path to the
value. Times are Unix seconds.

A request with an `Idempotency-Key` can be repeated safely. A body may be compressed by gzip or zstd; a long answer is
compressed if the client accepts it. All errors have the same form. An answer with status 503 has a `Retry-After`
header.
""".strip()

KEY = "ApiKey"
KEY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, `ft_…`. While nobody has made a key, the API needs none.",
}

SWAGGER_UI = {
    "url": "openapi.json",
    "deepLinking": True,
    "tryItOutEnabled": True,
    "defaultModelsExpandDepth": 0,
    "validatorUrl": None,
}
"""Settings of the page. Its links are relative, so that it works behind any prefix, and it needs no other server."""


def configuration(settings: Settings) -> Mapping[str, Any]:
    """Make the configuration of flask-smorest."""
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
            "security": [{KEY: []}, {}],
        },
    }


class TaskApi(Api):  # type: ignore[misc]
    """The API with its OpenAPI document. Error responses have one form, and keep their headers."""

    ERROR_SCHEMA = ErrorSchema
    # Every operation describes its own errors.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask, types: KnownTypes, checker: ArgumentChecker, backend_url: str | None) -> None:
        super().__init__(app)
        self._types = types
        self._checker = checker
        self._backend_url = backend_url
        self._cached: tuple[Sequence[TaskType] | None, str] = None, ""
        """The types of the last document, and its text."""
        for name, schema in (SCHEMAS | BATCH_SCHEMAS | API_KEY_SCHEMAS).items():
            self.spec.components.schema(name, schema)
        self.spec.components.security_scheme(KEY, KEY_SCHEME)

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer an error in the form of flask-smorest, and keep its headers."""
        return http_error_response(error)

    def _register_pagination_header(self) -> None:
        """Leave out the pagination header of flask-smorest: pages have a cursor in the body instead."""

    def _openapi_json(self) -> Response:
        types = self._offered_types()
        cached_types, text = self._cached
        if cached_types != types:
            document = deepcopy(self.spec.to_dict())
            describe_published_types(document, types, self._checker)
            share_repeated_parts(document)
            text = json.dumps(document, indent=1)
            self._cached = types, text
        return json_response(text)

    def _openapi_swagger_ui(self) -> Response:
        return swagger_ui_response(super()._openapi_swagger_ui(), self._backend_url)

    def _offered_types(self) -> Sequence[TaskType]:
        """List the types to describe: none to a sender without a key, or while no types could be read."""
        if current_access() == NOTHING:
            return []
        try:
            return self._types.offered()
        except StorageUnavailable:
            return []
