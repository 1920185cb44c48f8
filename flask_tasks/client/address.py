"""Address of the service and API key, for a client that was given none."""

from collections.abc import Mapping
from urllib.parse import urlsplit

VARIABLES = ("FLASK_TASKS_URL", "BACKEND_URL")
"""Environment variables with the address, in order of precedence: that of clients, then the public one of the API."""

KEY_VARIABLE = "FLASK_TASKS_API_KEY"
"""Environment variable with the API key of a client."""


def address(url: str | None, environment: Mapping[str, str]) -> str:
    """Return `url`, or else the address in the environment, or else that of a service on this machine.

    Raises ValueError: the address is not valid.
    """
    if url is not None:
        return _checked("url", url)
    for variable in VARIABLES:
        if given := environment.get(variable):
            return _checked(variable, given)
    return _checked("the address with PORT", f"http://127.0.0.1:{environment.get('PORT') or 5000}")


def authorization(api_key: str | None, environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the header with the API key, or with that in the environment; none without a key."""
    key = api_key if api_key is not None else environment.get(KEY_VARIABLE, "")
    return {"Authorization": f"Bearer {key.strip()}"} if key.strip() else {}


def is_of_this_machine(address: str) -> bool:
    """Whether the host is this machine, so that no proxy is used."""
    return urlsplit(address).hostname in ("127.0.0.1", "::1", "localhost")


def _checked(name: str, given: str) -> str:
    if _is_address(given := given.strip()):
        return given.rstrip("/")
    # The text before an @ may be a password.
    without_password = given.rpartition("@")[2]
    raise ValueError(f"{name} is {without_password!r}: it must be an address such as https://example.org/tasks")


def _is_address(given: str) -> bool:
    try:
        parts = urlsplit(given)
        # Reading `port` raises ValueError if it is not valid.
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_whole and parts.scheme in ("http", "https") and not parts.query and not parts.fragment
