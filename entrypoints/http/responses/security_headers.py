"""Security headers of answers: a browser takes an answer for what it is, and loads nothing for it."""

from typing import Any

from entrypoints.http.flask_app import WsgiApp
from entrypoints.settings import Settings

POLICY = "Content-Security-Policy"
SNIFF_NOTHING = ("X-Content-Type-Options", "nosniff")
LOAD_NOTHING = (POLICY, "default-src 'none'; frame-ancestors 'none'")
USE_TLS = ("Strict-Transport-Security", "max-age=31536000")  # for a year, in seconds


class SecurityHeaders:
    """WSGI middleware that adds the headers to every answer, errors included. A policy that an answer has stays.

    It is no hook of Flask, since werkzeug takes several times as long to add headers.
    """

    def __init__(self, app: WsgiApp, settings: Settings) -> None:
        self._app = app
        common = [USE_TLS] if (settings.backend_url or "").startswith("https://") else []
        self._without_policy = [SNIFF_NOTHING, LOAD_NOTHING, *common]
        self._with_policy = [SNIFF_NOTHING, *common]

    def __call__(self, environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            for name, _ in headers:
                if name == POLICY:
                    return start_response(status, headers + self._with_policy, *more)
            return start_response(status, headers + self._without_policy, *more)

        return self._app(environ, start)
