"""CORS: lets web pages of the origins in the settings call the API and read its answers, errors included."""

from flask import Flask, Response, request

from entrypoints.http.requests.origin import ANY_ORIGIN, allowed_origins, is_allowed
from entrypoints.http.responses.json_response import no_content
from entrypoints.settings import Settings

EXPOSED_HEADERS = {"Access-Control-Expose-Headers": "ETag, Location, Retry-After, X-Request-Id"}
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Encoding, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, "
        "X-Request-Id, traceparent"
    ),
    "Access-Control-Max-Age": "600",
}


def allow_origins(app: Flask, settings: Settings) -> None:
    """Add CORS headers to every response to a page of an allowed origin."""
    origins = allowed_origins(settings)

    def add_headers(response: Response) -> Response:
        if ANY_ORIGIN not in origins:
            response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin is None or not is_allowed(origin, origins):
            return response
        allowed = _preflight_response() if _is_preflight() else response
        allowed.headers["Access-Control-Allow-Origin"] = ANY_ORIGIN if ANY_ORIGIN in origins else origin
        allowed.headers.update(EXPOSED_HEADERS)
        allowed.vary.update(response.vary)
        return allowed

    if origins:
        app.after_request(add_headers)


def _is_preflight() -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _preflight_response() -> Response:
    """Answer a preflight request. It is the same for every path, also for one that does not exist."""
    return no_content(PREFLIGHT_HEADERS)
