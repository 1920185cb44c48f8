"""Notices: one sentence about an action, which the next page shows once, by a cookie that lives for a moment."""

from urllib.parse import quote, unquote

from flask import Request, Response

COOKIE = "flask_tasks_notice"
LIFE_SECONDS = 30
MAX_CHARACTERS = 500


def leave_notice(response: Response, sentence: str, path: str) -> None:
    """Let the next page show the sentence. `path` is that of the pages."""
    value = quote(sentence[:MAX_CHARACTERS])
    response.set_cookie(COOKIE, value, max_age=LIFE_SECONDS, path=path, httponly=True, samesite="Strict")


def take_notice(request: Request) -> str | None:
    """The sentence that was left for this page."""
    value = request.cookies.get(COOKIE)
    return unquote(value)[:MAX_CHARACTERS] if value else None


def forget_notice(response: Response, path: str) -> None:
    """Let no other page show the sentence."""
    response.delete_cookie(COOKIE, path=path, httponly=True, samesite="Strict")
