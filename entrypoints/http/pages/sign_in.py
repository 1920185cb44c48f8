"""The page where a browser signs in with an API key, and the actions that sign it in and out."""

from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from application.errors import Unauthenticated
from entrypoints.http.access.needs import PUBLIC
from entrypoints.http.authentication.session_cookie import SessionCookie
from entrypoints.http.authentication.slow_answers import SlowAnswers
from entrypoints.http.pages.blueprint import Done, Pages, Shown
from entrypoints.http.services import Services

TEMPLATE = "sign_in.html"


def add_sign_in(pages: Pages, services: Services) -> None:
    """Add the page and the actions."""
    authenticator, cookie = services.authenticator(), SessionCookie(services.settings())
    answer_slowly = SlowAnswers(services.wrong_keys())

    def context(back: str | None, is_wrong: bool) -> dict[str, Any]:
        return {"back": pages.addresses.own(back), "is_wrong": is_wrong, "is_open": authenticator.is_open()}

    @pages.page("/sign-in", TEMPLATE, PUBLIC)
    def sign_in() -> dict[str, Any]:
        return context(request.args.get("back"), is_wrong=False)

    @pages.action("/sign-in", PUBLIC)
    def start_session(form: MultiDict[str, str]) -> Done | Shown:
        try:
            session = authenticator.session(form.get("key", "").strip())
        except Unauthenticated:
            answer_slowly()
            return Shown(TEMPLATE, context(form.get("back"), is_wrong=True), 401)
        return Done("You are signed in.", finish=lambda response: cookie.keep(response, session, request))

    @pages.action("/sign-out", PUBLIC)
    def end_session(_: MultiDict[str, str]) -> Done:
        return Done(
            "You are signed out.", pages.addresses("sign-in"), lambda response: cookie.forget(response, request)
        )
