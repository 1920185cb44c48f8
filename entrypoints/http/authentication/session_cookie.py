"""The cookie by which a browser stays signed in. Scripts cannot read it, and no page of another site sends it."""

from flask import Request, Response

from application.authentication import Session
from entrypoints.settings import Settings

COOKIE = "flask_tasks_session"


class SessionCookie:
    """Reads and writes the cookie."""

    def __init__(self, settings: Settings) -> None:
        self._is_https = (settings.backend_url or "").startswith("https://")

    def keep(self, response: Response, session: Session, request: Request) -> None:
        """Sign the browser in."""
        response.set_cookie(
            COOKIE,
            session.text,
            expires=session.expires,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self._is_secure(request),
        )

    def forget(self, response: Response, request: Request) -> None:
        """Sign the browser out."""
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="Lax", secure=self._is_secure(request))

    def _is_secure(self, request: Request) -> bool:
        # A proxy that takes TLS off says so. Who says it falsely only loses the cookie on a line without TLS.
        return self._is_https or request.is_secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"


def session_of(request: Request) -> str | None:
    """The session that a browser sends; None if it sends none."""
    # Parsing cookies takes longer than all else that most requests need.
    return request.cookies.get(COOKIE) if COOKIE in request.environ.get("HTTP_COOKIE", "") else None
