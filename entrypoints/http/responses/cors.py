"""CORS: pages of the origins that the settings name may use the API, and read its errors too."""

from urllib.parse import urlsplit

from flask import Flask, Response, request

from entrypoints.http.responses.json_response import no_content
from entrypoints.settings import Settings

ANY = "*"
READABLE = {"Access-Control-Expose-Headers": "Location, Retry-After"}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def allow_origins(app: Flask, settings: Settings) -> None:
    """From now on every answer says whether the page that asked may read it."""
    origins = allowed_origins(settings)

    def allow(response: Response) -> Response:
        if ANY not in origins:
            response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin is None or not (ANY in origins or origin.lower().rstrip("/") in origins):
            return response
        answer = _preflight() if _is_preflight() else response
        answer.headers["Access-Control-Allow-Origin"] = ANY if ANY in origins else origin
        answer.headers.update(READABLE)
        answer.vary.update(response.vary)
        return answer

    if origins:
        app.after_request(allow)


def allowed_origins(settings: Settings) -> frozenset[str]:
    """Those of FRONTEND_URL, and that of the API's own public address."""
    own = [settings.backend_url] if settings.backend_url else []
    return frozenset(_origin(address) for address in (*settings.frontend_url, *own))


def _origin(address: str) -> str:
    """What a browser sends for a page of that address: lower case, without path and without the default port."""
    if address == ANY:
        return ANY
    parts = urlsplit(address.lower())
    return f"{parts.scheme}://{parts.netloc.removesuffix(DEFAULT_PORTS[parts.scheme])}"


def _is_preflight() -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _preflight() -> Response:
    """The same for every path: whether it exists, the request itself will tell."""
    return no_content(PREFLIGHT)
