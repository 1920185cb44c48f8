"""Responses of pages: HTML, redirects, files and event streams, and the headers that all of them have."""

from collections.abc import Iterator

from flask import Response, stream_with_context

from entrypoints.http.pages.visible import encoded
from entrypoints.http.responses.json_response import NO_STORE

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
}
EVENT_STREAM = "text/event-stream"
STREAM_HEADERS = {**NO_STORE, "X-Accel-Buffering": "no"}


def html_response(html: str, status: int) -> Response:
    """A page."""
    response = Response(encoded(html), status, NO_STORE, content_type="text/html; charset=utf-8")
    response.vary.add("Accept")
    return response


def see_other(address: str) -> Response:
    """A redirect to a page."""
    return Response(status=303, headers={"Location": address, **NO_STORE})


def file_response(name: str, content: str | bytes | Iterator[str], content_type: str) -> Response:
    """A file that browsers store under this name. Its pieces are made while it is sent."""
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
    whole = content if isinstance(content, str | bytes) else stream_with_context(content)
    return Response(whole, headers=headers, content_type=content_type)


def stream_response(events: Iterator[bytes]) -> Response:
    """An event stream."""
    return Response(stream_with_context(events), headers=STREAM_HEADERS, content_type=EVENT_STREAM)


def add_security_headers(response: Response) -> Response:
    """Add the headers that bound what a page may load and who may frame it. Those of all answers come besides."""
    response.headers.update(SECURITY_HEADERS)
    return response
