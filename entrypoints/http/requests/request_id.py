"""The id of a request: the caller's where it is sane, else a new one. The answer and the log lines have it."""

import logging
import os
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from application.log_lines import KEYS_OF_RECORD
from entrypoints.http.flask_app import WsgiApp

HEADER = "X-Request-Id"
SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+/=:@-]{0,127}")
"""Ids that are taken over from callers: they fit into a log line, a header and a search as they are."""
NEW_ID_BYTES = 16

_keys: ContextVar[Mapping[str, str]] = ContextVar("keys of the request", default={})  # noqa: B039
"""What the log lines of the present request have by key. Each thread serves one request at a time."""


class RequestIds:
    """WSGI middleware that gives each request its id, and each answer the header with it."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        given = environ.get("HTTP_X_REQUEST_ID")
        id = given if given and SANE_ID.fullmatch(given) else os.urandom(NEW_ID_BYTES).hex()
        _keys.set({"request": id})

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, (HEADER, id)], *more)

        return self._app(environ, start)


class RequestKeys(logging.Filter):
    """Adds the id of the present request to the records of its thread."""

    def filter(self, record: logging.LogRecord) -> bool:
        if keys := _keys.get():
            setattr(record, KEYS_OF_RECORD, {**getattr(record, KEYS_OF_RECORD, {}), **keys})
        return True


def add_request_to_lines() -> None:
    """Have the lines of this process's log name the request in which they are logged."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(RequestKeys())
