"""The id of a request, the caller's where it is sane, else a new one, and the caller's trace. Log lines have both."""

import logging
import os
import re
from contextvars import ContextVar
from typing import Any

from application.current_trace import current_trace
from application.log_lines import KEYS_OF_RECORD, keys
from domain.traceparent import parse_traceparent, trace_id
from entrypoints.http.flask_app import WsgiApp

HEADER = "X-Request-Id"
SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+/=:@-]{0,127}")
"""Ids that are taken over from callers: they fit into a log line, a header and a search as they are."""
NEW_ID_BYTES = 16

_id: ContextVar[str | None] = ContextVar("id of the request", default=None)
"""The id of the present request. Each thread serves one at a time."""


class RequestIds:
    """WSGI middleware that notes the id and the trace of each request, and gives each answer the header with the id."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        given = environ.get("HTTP_X_REQUEST_ID")
        id = given if given and SANE_ID.fullmatch(given) else os.urandom(NEW_ID_BYTES).hex()
        _id.set(id)
        current_trace.set(parse_traceparent(environ.get("HTTP_TRACEPARENT")))

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, (HEADER, id)], *more)

        return self._app(environ, start)


class RequestKeys(logging.Filter):
    """Adds the id of the present request, and of its trace, to the records of its thread."""

    def filter(self, record: logging.LogRecord) -> bool:
        if id := _id.get():
            own = keys(request=id, trace=trace_id(current_trace.get()))[KEYS_OF_RECORD]
            setattr(record, KEYS_OF_RECORD, {**own, **getattr(record, KEYS_OF_RECORD, {})})
        return True


def add_request_to_lines() -> None:
    """Have the lines of this process's log name the request in which they are logged."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(RequestKeys())
