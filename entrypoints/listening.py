"""The address at which a process listens: who reaches it, and why it cannot be used."""

import socket
import sys
from errno import EACCES, EADDRINUSE
from ipaddress import IPv6Address, ip_address

AIRPLAY_HINT = "; on macOS the AirPlay Receiver uses it, see System Settings, General, AirDrop & Handoff"


def listening_error(host: str, port: int, error: OSError | UnicodeError, variable: str = "PORT") -> str:
    """Explain the error of a socket that was bound to the host and the port, which the variable sets."""
    code = getattr(error, "errno", None)
    if code == EADDRINUSE:
        hint = AIRPLAY_HINT if sys.platform == "darwin" and port in (5000, 7000) else ""
        return f"port {port} is taken by another program; set {variable} to another port{hint}"
    if code == EACCES:
        return f"port {port} is reserved for root; set {variable} to a port above 1023"
    reason = getattr(error, "strerror", None) or error
    return f"HOST {host} is not an address of this machine: {reason}; set HOST to one that is"


def listens_on_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on the host."""
    try:
        return is_loopback_address(str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]))
    except (OSError, UnicodeError):
        return False


def is_loopback_address(text: str) -> bool:
    """Whether a text is an address of loopback."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
