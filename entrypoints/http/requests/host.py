"""The `Host` of a request: an API that this machine alone reaches is not read through a name that points at it."""

import re
import socket
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from flask import Flask, request
from werkzeug.exceptions import MisdirectedRequest

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


def listens_on_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on the host."""
    try:
        return _is_loopback_address(str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]))
    except (OSError, UnicodeError):
        return False


@lru_cache(maxsize=100)
def is_loopback(host: str) -> bool:
    """Whether a `Host` is a name or an address of loopback, with or without a port."""
    name = host_name(host)
    return name == "localhost" or name.endswith(".localhost") or _is_loopback_address(name)


def host_name(host: str) -> str:
    """Return the name or the address in a `Host`, in lower case; nothing if there is none."""
    found = _HOST.fullmatch(host.lower())
    return found["name"].strip("[]").removesuffix(".") if found else ""


def _is_loopback_address(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
