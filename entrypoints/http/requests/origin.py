"""The origin of a request: a page of another origin changes nothing, since CORS only keeps it from reading answers."""

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import Forbidden

from entrypoints.settings import Settings

ANY_ORIGIN = "*"
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
OWN_SITES = frozenset({"same-origin", "none"})
"""Values of `Sec-Fetch-Site` for a page of the service itself, and for an address that the user has typed."""
FOREIGN_PAGE = "a page of another origin may change nothing here: FRONTEND_URL names the origins whose pages may"


def refuse_foreign_pages(app: Flask, settings: Settings) -> None:
    """Answer 403 to a changing request of a page whose origin is neither allowed nor that of the service itself."""
    origins = allowed_origins(settings)
    # The `Host` is what the client says, so the public address goes before it.
    trusts_host = settings.backend_url is None

    def check_origin() -> None:
        environ = request.environ
        origin, site = environ.get("HTTP_ORIGIN"), environ.get("HTTP_SEC_FETCH_SITE")
        if (origin is None and site is None) or environ["REQUEST_METHOD"] in SAFE_METHODS:
            return
        host = environ.get("HTTP_HOST", "") if trusts_host else ""
        if not is_allowed(origin, origins) and is_foreign(origin, site, host):
            raise Forbidden(FOREIGN_PAGE)

    app.before_request(check_origin)


def allowed_origins(settings: Settings) -> frozenset[str]:
    """List the origins of FRONTEND_URL and of the public address of the API."""
    own = [settings.backend_url] if settings.backend_url else []
    return frozenset(origin_of(address) for address in (*settings.frontend_url, *own))


def is_allowed(origin: str | None, origins: frozenset[str]) -> bool:
    """Whether the origin is one of those."""
    return ANY_ORIGIN in origins or (origin is not None and origin.lower().rstrip("/") in origins)


def is_foreign(origin: str | None, site: str | None, host: str) -> bool:
    """Whether a page of another origin than the host's sends a request. No page can set these headers itself."""
    if site:
        return site not in OWN_SITES
    return origin is not None and not _is_origin_of(host, origin.lower().rstrip("/"))


def _is_origin_of(host: str, origin: str) -> bool:
    # The scheme is not compared: a proxy may take TLS off.
    scheme, _, name = origin.partition("://")
    port = DEFAULT_PORTS.get(scheme)
    return bool(name and port) and name.removesuffix(str(port)) == host.lower().removesuffix(str(port))


def origin_of(address: str) -> str:
    """Make the origin of an address as browsers send it: lower case, without path and default port."""
    if address == ANY_ORIGIN:
        return ANY_ORIGIN
    parts = urlsplit(address.lower())
    return f"{parts.scheme}://{parts.netloc.removesuffix(DEFAULT_PORTS[parts.scheme])}"
