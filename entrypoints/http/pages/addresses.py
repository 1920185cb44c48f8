"""Addresses of the pages. All begin with the path of the public address, so that they work behind a proxy."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from flask import request

from entrypoints.settings import Settings

ROOT = "/dashboard"
"""The path below which all pages are, but for the first one."""
Values = Mapping[str, str | list[str] | None]
"""Parameters of a query by name. A parameter that is None or empty is left out."""


class Addresses:
    """Makes addresses of pages: paths, with queries in the order in which their parameters are given."""

    def __init__(self, settings: Settings) -> None:
        self._public = (settings.backend_url or "").rstrip("/")
        self._prefix = urlsplit(self._public).path

    def __call__(self, *segments: object, query: Values | None = None) -> str:
        """The address of the page with these segments, as in `("task", 192)`; that of the first page without any."""
        path = "".join(f"/{quote(str(segment), safe='')}" for segment in segments)
        return self.of(f"{ROOT}{path}" if path else "/", query)

    def of(self, path: str, query: Values | None = None) -> str:
        """The address of a path of the service."""
        return f"{self._prefix}{path}{_question(query)}"

    def public(self, path: str = "", query: Values | None = None) -> str:
        """The address of a path of the service with its scheme and host, for use in a terminal."""
        base = self._public or request.host_url.rstrip("/")
        return f"{base}{self.of(path, query).removeprefix(self._prefix)}"

    def own(self, given: str | None) -> str:
        """The address that a form names to go back to, if it is one of this service; else that of the first page."""
        is_own = given is not None and given.startswith(f"{self._prefix}/") and given.isprintable()
        # Browsers read two slashes, and a backslash as a slash, as the beginning of a host.
        return given if given and is_own and not given.startswith("//") and "\\" not in given else self()


def _question(query: Values | None) -> str:
    """The query with its question mark; nothing if no parameter is given."""
    given = [(name, value) for name, value in (query or {}).items() if value]
    return f"{'?' if given else ''}{urlencode(given, doseq=True, quote_via=quote)}"
