"""The access line of a request, at the level debug: method, path and status code, and the time it took.

It has no query and no header, which may hold arguments and secrets.
"""

import logging
import time
from typing import Any

from application.log_lines import keys, one_line
from entrypoints.http.flask_app import WsgiApp
from entrypoints.http.responses.endings import with_end

log = logging.getLogger(__name__)


def with_access_lines(app: WsgiApp) -> WsgiApp:
    """The app with a line for each request; the app itself where no such line would be logged."""
    return AccessLines(app) if log.isEnabledFor(logging.DEBUG) else app


class AccessLines:
    """WSGI middleware that logs a line when the last piece of an answer is sent."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        began, started = time.perf_counter(), list[str]()

        def start(status: str, *more: Any) -> Any:
            started.append(status)
            return start_response(status, *more)

        def end() -> None:
            seconds = round(time.perf_counter() - began, 6)
            method, path = one_line(environ["REQUEST_METHOD"]), one_line(_text(environ.get("PATH_INFO", "")))
            status = int(started[-1].split()[0]) if started else None
            extra = keys(method=method, path=path, status=status, seconds=seconds)
            log.debug("%s %s: %s in %.1f ms", method, path, status, 1000 * seconds, extra=extra)

        body = self._app(environ, start)
        return with_end(body, end)


def _text(path: str) -> str:
    """The path, of which WSGI has each byte as a character."""
    return path.encode("latin-1").decode("utf-8", "backslashreplace")
