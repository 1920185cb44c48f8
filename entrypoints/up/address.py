"""Where the API listens: whether that is free, whether it answers, and where it is to be found."""

import http.client
import socket
import sys
from contextlib import closing, suppress
from errno import EACCES, EADDRINUSE
from ipaddress import ip_address

from entrypoints.settings import Settings
from entrypoints.up.errors import Refused

AIRPLAY = "; on macOS the AirPlay Receiver has it, see System Settings, General, AirDrop & Handoff"


class Address:
    """The host and the port of the settings, and the address that the world knows them by."""

    def __init__(self, settings: Settings) -> None:
        self._host, self._port = settings.host, settings.port
        host = _reachable(settings.host)
        self._local = f"[{host}]" if ":" in host else host
        self.here = f"http://{self._local}:{self._port}"
        """What this machine knows it by."""
        self._base = settings.backend_url or self.here

    def check(self) -> None:
        """Refused where nobody can listen there now."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                # As servers do, so that connections that have ended just now are not in the way.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            raise Refused(self._why(error)) from error

    def answers(self) -> bool:
        """Whether the API is there, and ready."""
        with suppress(OSError, http.client.HTTPException), closing(self._connection()) as connection:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        return False

    def links(self) -> str:
        """What to open in a browser."""
        return f"{self._base}/ (dashboard)  {self._base}/docs (Swagger UI)"

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._local.strip("[]"), self._port, timeout=2)

    def _why(self, error: OSError) -> str:
        if error.errno == EADDRINUSE:
            airplay = AIRPLAY if sys.platform == "darwin" and self._port in (5000, 7000) else ""
            return f"port {self._port} is taken by another program; set PORT to another{airplay}"
        if error.errno == EACCES:
            return f"port {self._port} is not for ordinary users; set PORT to one above 1023"
        return f"HOST {self._host} is no address to listen on here: {error.strerror}"


def _reachable(host: str) -> str:
    """The host to ask for a server that listens on this one: "any" is no address to call."""
    with suppress(ValueError):
        if (address := ip_address(host)).is_unspecified:
            return "127.0.0.1" if address.version == 4 else "::1"
    return host
