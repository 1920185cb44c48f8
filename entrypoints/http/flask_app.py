"""Flask without what an API like this has no use for: sessions, coroutines, hosts that have paths of their own."""

from typing import Any

from flask import Flask
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.routing import MapAdapter
from werkzeug.wrappers import Request


class NoSessions(SessionInterface):
    """Every request has the same session, which holds nothing and takes nothing."""

    none = NullSession()

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return self.none


class ApiFlask(Flask):
    """The same application at a smaller cost; its views are plain functions."""

    session_interface = NoSessions()

    def ensure_sync(self, func: Any) -> Any:
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """By the path alone: no address is ever built from this one, and no path leads anywhere else."""
        if request is None:
            return None
        environ = request.environ
        return MapAdapter(
            self.url_map,
            server_name="",
            script_name=environ.get("SCRIPT_NAME") or "/",
            subdomain="",
            url_scheme=environ["wsgi.url_scheme"],
            # A request that asks for a tunnel has no path.
            path_info=request.path if environ.get("PATH_INFO") else "",
            default_method=environ["REQUEST_METHOD"],
            query_args=environ.get("QUERY_STRING", ""),
        )
