"""Flask without the features that the API does not use: sessions, coroutines and routing by host."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.routing import MapAdapter
from werkzeug.wrappers import Request

WsgiApp = Callable[[Any, Any], Any]
BODY_IS_READ = "flask_tasks.body_is_read"
"""Key in the WSGI environment of a request whose body was read to its end."""


class NoSessions(SessionInterface):
    """One empty, read-only session for all requests."""

    empty = NullSession()

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return self.empty


class ApiFlask(Flask):
    """A Flask app with less work per request. Its views must be plain functions."""

    session_interface = NoSessions()

    def ensure_sync(self, func: Any) -> Any:
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Make an adapter that routes by the path only: the API builds no URLs with it and has no redirects."""
        if request is None:
            return None
        environ = request.environ
        return MapAdapter(
            self.url_map,
            server_name="",
            script_name=environ.get("SCRIPT_NAME") or "/",
            subdomain="",
            url_scheme=environ["wsgi.url_scheme"],
            # A CONNECT request has no path.
            path_info=request.path if environ.get("PATH_INFO") else "",
            default_method=environ["REQUEST_METHOD"],
            query_args=environ.get("QUERY_STRING", ""),
        )
