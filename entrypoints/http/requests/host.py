"""The `Host` of a request: an API that this machine alone reaches is not read through a name that points at it."""

import re
from functools import lru_cache

from flask import Flask, request
from werkzeug.exceptions import MisdirectedRequest

from entrypoints.listening import is_loopback_address, listens_on_loopback
from entrypoints.settings import Settings

_HOST = re.compile(r"(?P<name>\[[^]]+\]|[^:]+)(:[0-9]*)?")
FOREIGN_HOST = (
    "the Host of the request is no name of this machine, and the API listens on this machine alone: "
    "set BACKEND_URL to its public address if it has one"
)


def refuse_foreign_hosts(app: Flask, settings: Settings) -> None:
    """Answer 421 to a request for another name than this machine's, where the API serves this machine alone.

    A page whose name is pointed at 127.0.0.1 would read everything as its own origin.
    """
    if settings.backend_url or not listens_on_loopback(settings.host):
        return
    own = settings.host.lower()

    def check_host() -> None:
        # A browser always sends a Host; a client of HTTP/1.0 need not.
        host = request.environ.get("HTTP_HOST")
        if host and not is_loopback(host) and host_name(host) != own:
            raise MisdirectedRequest(FOREIGN_HOST)

    app.before_request(check_host)


@lru_cache(maxsize=100)
def is_loopback(host: str) -> bool:
    """Whether a `Host` is a name or an address of loopback, with or without a port."""
    name = host_name(host)
    return name == "localhost" or name.endswith(".localhost") or is_loopback_address(name)


def host_name(host: str) -> str:
    """Return the name or the address in a `Host`, in lower case; nothing if there is none."""
    found = _HOST.fullmatch(host.lower())
    return found["name"].strip("[]").removesuffix(".") if found else ""
