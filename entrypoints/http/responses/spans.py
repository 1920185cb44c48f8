"""The span of a request, below that of the caller. What the request submits belongs to it."""

from typing import Any

from flask import Flask, request

from application.current_trace import current_trace
from application.ports.tracer import Span, SpanKind, Tracer
from entrypoints.http.flask_app import WsgiApp
from entrypoints.http.responses.endings import with_end
from entrypoints.http.services import Services

MIN_ERROR_CODE = 500


ROUTE = "flask_tasks.route"
"""Key in the WSGI environment of a traced request whose route is found."""


def with_spans(app: Flask, wsgi_app: WsgiApp, services: Services) -> WsgiApp:
    """The WSGI app with a span for each request; the app itself where none is recorded."""
    tracer = services.tracer() if services.settings().traces else None
    if tracer is None:
        return wsgi_app
    app.before_request(_note_route)
    return Spans(wsgi_app, tracer)


def _note_route() -> None:
    if request.url_rule:
        request.environ[ROUTE] = request.url_rule.rule


class Spans:
    """WSGI middleware that records each request as a span."""

    def __init__(self, app: WsgiApp, tracer: Tracer) -> None:
        self._app, self._tracer = app, tracer

    def __call__(self, environ: Any, start_response: Any) -> Any:
        method = environ["REQUEST_METHOD"]
        span = self._tracer.start(method, SpanKind.SERVER, current_trace.get(), http__request__method=method)
        current_trace.set(span.traceparent)
        started: list[str] = []

        def start(status: str, *more: Any) -> Any:
            started.append(status)
            return start_response(status, *more)

        try:
            body = self._app(environ, start)
        except BaseException as error:
            span.end(type(error).__name__)
            raise
        return with_end(body, lambda: _end(span, environ, started))


def _end(span: Span, environ: Any, started: list[str]) -> None:
    """End the span, under the route of the request if it has one."""
    code = int(started[-1].split()[0]) if started else MIN_ERROR_CODE
    route = environ.get(ROUTE)
    found = {"http__route": route} if route else {}
    name = f"{environ['REQUEST_METHOD']} {route}" if route else None
    span.end(str(code) if code >= MIN_ERROR_CODE else None, name, http__response__status_code=code, **found)
