"""The sentence that says why a process cannot listen at its address, and what to do."""

import sys
from errno import EACCES, EADDRINUSE

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
