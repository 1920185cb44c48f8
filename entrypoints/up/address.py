"""The address of the API: check that it is free, ask whether the API is ready there, and print its links."""

import http.client
import socket
from contextlib import closing, suppress
from ipaddress import ip_address

from entrypoints.listening import listening_error
from entrypoints.settings import Settings
from entrypoints.startup import CONFIGURATION_EXIT_CODE
from entrypoints.up.errors import Refused


class Address:
    """The host and the port of the settings, and the URLs that reach them."""

    def __init__(self, settings: Settings) -> None:
        self._host, self._port = settings.host, settings.port
        host = _reachable(settings.host)
        self._local = f"[{host}]" if ":" in host else host
        self.local_url = f"http://{self._local}:{self._port}"
        """The URL of the API on this machine."""
        self._public_url = settings.backend_url or self.local_url

    def check(self) -> None:
        """Check that the API can listen at the address.

        Raises Refused: it cannot; the message says why and what to do.
        """
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                # As servers do: otherwise connections that have just ended would block the port.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            raise Refused(listening_error(self._host, self._port, error), CONFIGURATION_EXIT_CODE) from error

    def is_ready(self) -> bool:
        """Whether the API answers that it is ready."""
        with suppress(OSError, http.client.HTTPException), closing(self._connection()) as connection:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        return False

    @property
    def dashboard(self) -> str:
        """The first page to open in a browser."""
        return f"{self._public_url}/"

    def links(self) -> str:
        """The pages to open in a browser."""
        return f"{self.dashboard} (dashboard)  {self._public_url}/docs (Swagger UI)"

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._local.strip("[]"), self._port, timeout=2)


def _reachable(host: str) -> str:
    """A host at which clients reach a server that listens on this one: the loopback address for `0.0.0.0` and `::`."""
    with suppress(ValueError):
        if (address := ip_address(host)).is_unspecified:
            return "127.0.0.1" if address.version == 4 else "::1"
    return host
