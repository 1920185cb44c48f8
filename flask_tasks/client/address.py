"""Where the service is, for a client that was not told."""

from collections.abc import Mapping
from urllib.parse import urlsplit

VARIABLES = ("FLASK_TASKS_URL", "BACKEND_URL")
"""The first one that is set counts: what a client is to use, then what the service is known by."""


def address(url: str | None, environment: Mapping[str, str]) -> str:
    """The address that was given, or that the environment names, or that of a service on this machine.

    ValueError where that is none.
    """
    if url is not None:
        return _checked("url", url)
    for variable in VARIABLES:
        if given := environment.get(variable):
            return _checked(variable, given)
    return _checked("the address by PORT", f"http://127.0.0.1:{environment.get('PORT') or 5000}")


def is_of_this_machine(address: str) -> bool:
    """Whether no proxy stands before it."""
    return urlsplit(address).hostname in ("127.0.0.1", "::1", "localhost")


def _checked(name: str, given: str) -> str:
    if _is_address(given := given.strip()):
        return given.rstrip("/")
    # Before an @ there may be a password.
    shown = given.rpartition("@")[2]
    raise ValueError(f"{name} is {shown!r}: it takes one such as https://example.org/tasks")


def _is_address(given: str) -> bool:
    try:
        parts = urlsplit(given)
        # Reading the port checks it.
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_whole and parts.scheme in ("http", "https") and not parts.query and not parts.fragment
