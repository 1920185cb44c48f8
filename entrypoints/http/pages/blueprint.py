"""The blueprint of the pages: each page and each action is declared with its path, and answered in one way."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, NotFound

from application.errors import StorageUnavailable, Unauthenticated, UnknownBatch, UnknownTask, UnknownType
from application.outages import finding_of
from entrypoints.http.access.current import current_access
from entrypoints.http.access.needs import ANY_KEY, PUBLIC, READ, READ_ALL, SUBMIT, Need, needing
from entrypoints.http.authentication.session_cookie import session_of
from entrypoints.http.pages.addresses import ROOT, Addresses
from entrypoints.http.pages.assets import Assets
from entrypoints.http.pages.form_reader import FormReader
from entrypoints.http.pages.live import LiveRegions
from entrypoints.http.pages.notices import forget_notice, leave_notice, take_notice
from entrypoints.http.pages.rendering import Renderer
from entrypoints.http.pages.responses import (
    EVENT_STREAM,
    add_security_headers,
    file_response,
    html_response,
    see_other,
    stream_response,
)
from entrypoints.http.responses.errors import ERROR_RESPONSES, MESSAGES_BY_CODE, ErrorResponse
from entrypoints.http.responses.json_response import JSON
from entrypoints.http.services import Services

GONE = {UnknownTask: "task", UnknownType: "type", UnknownBatch: "batch"}
"""Subjects of pages that may be gone while their pages are open, by the errors that say so."""
Context = Mapping[str, Any]
NAVIGATION = (
    ("Overview", (), READ_ALL),
    ("Tasks", ("tasks",), READ),
    ("Batches", ("batches",), READ),
    ("Types", ("types",), READ_ALL),
    ("Handlers", ("handlers",), READ_ALL),
    ("Submit", ("submit",), SUBMIT),
)
"""The pages to which all pages link, by name and path, and the access that each of them needs."""


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an action: the sentence that the next page shows, and its address.

    `to`: None for the page that the field `back` of the form names.
    `finish`: changes the answer, such as by a cookie.
    """

    sentence: str
    to: str | None = None
    finish: Callable[[Response], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Download:
    """A file that browsers store under a name, which is of ASCII letters, digits, dots and hyphens.

    `content`: may come in pieces, which are made while it is sent.
    """

    name: str
    content: str | bytes | Iterator[str]
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class Shown:
    """A page in place of the usual end: a template with its context, and the status code."""

    template: str
    context: Context
    status: int = 200


class Pages:
    """The blueprint of all pages. Their errors are pages too."""

    def __init__(self, services: Services) -> None:
        settings = services.settings()
        self.addresses = Addresses(settings)
        self.blueprint = Blueprint("pages", __name__)
        self._assets = Assets()
        self._renderer = Renderer(self.addresses, self._assets)
        self._live = LiveRegions(services.open_pages())
        self._forms = FormReader(settings)
        self._kept_seconds = settings.max_task_time
        self._clock = services.clock()
        self.blueprint.after_request(add_security_headers)
        self.blueprint.add_url_rule(f"{ROOT}/static/<name>", "static", needing(PUBLIC, partial(self._assets.response)))
        self.blueprint.add_url_rule(f"{ROOT}/<path:path>", "unknown", needing(ANY_KEY, _unknown))
        self._answer_errors()

    def page(
        self, path: str, template: str, needs: Need
    ) -> Callable[[Callable[..., Context | Shown]], Callable[..., Any]]:
        """Register a page, below ROOT; one with an empty path is the first one.

        The function returns the context, or what is to be shown instead: by the same template if it has a live block.

        A client that accepts an event stream is sent the live block of the template after each of its changes.
        """

        def register(view: Callable[..., Any]) -> Callable[..., Any]:
            def respond(**parts: Any) -> Response:
                if _asks_for_stream() and self._renderer.is_live(template):
                    return self._stream(template, partial(view, **parts))
                found = view(**parts)
                return self._shown(found if isinstance(found, Shown) else Shown(template, found))

            self.blueprint.add_url_rule(f"{ROOT}{path}" if path else "/", view.__name__, needing(needs, respond))
            return view

        return register

    def action(self, path: str, needs: Need) -> Callable[[Callable[..., Done | Shown]], Callable[..., Done | Shown]]:
        """Register an action, the POST of a form. The function is given the form, and the answer leads to a page.

        A form that cannot be accepted is shown again instead.
        """

        def register(act: Callable[..., Done | Shown]) -> Callable[..., Done | Shown]:
            def respond(**parts: Any) -> Response:
                form = self._forms.read()
                done = act(form, **parts)
                if isinstance(done, Shown):
                    return self._shown(done)
                to = self.addresses.own(form.get("back")) if done.to is None else done.to
                response = see_other(to)
                leave_notice(response, done.sentence, self.addresses())
                done.finish(response)
                return response

            self.blueprint.add_url_rule(f"{ROOT}{path}", act.__name__, needing(needs, respond), methods=["POST"])
            return act

        return register

    def download(self, path: str, needs: Need) -> Callable[[Callable[..., Download]], Callable[..., Download]]:
        """Register a path that answers with a file to store."""

        def register(make: Callable[..., Download]) -> Callable[..., Download]:
            def respond(**parts: Any) -> Response:
                made = make(**parts)
                return file_response(made.name, made.content, made.content_type)

            self.blueprint.add_url_rule(f"{ROOT}{path}", make.__name__, needing(needs, respond))
            return make

        return register

    def redirect(self, path: str, needs: Need) -> Callable[[Callable[[], str]], Callable[[], str]]:
        """Register a path that leads to the address that the function returns."""

        def register(choose: Callable[[], str]) -> Callable[[], str]:
            lead = needing(needs, lambda: see_other(choose()))
            self.blueprint.add_url_rule(f"{ROOT}{path}", choose.__name__, lead)
            return choose

        return register

    def _shown(self, shown: Shown) -> Response:
        return self._html(shown.template, shown.context, shown.status)

    def _html(self, template: str, context: Context, status: int = 200) -> Response:
        notice = take_notice(request)
        shared = {"notice": notice, "here": self._here(), "now": self._clock.now(), **self._shown_by_access()}
        response = html_response(self._renderer.page(template, {**shared, **context}), status)
        if notice:
            forget_notice(response, self.addresses())
        return response

    def _shown_by_access(self) -> Context:
        """The names by which templates show to each sender what it may see and do."""
        access = current_access()
        links = [(name, self.addresses(*path)) for name, path, need in NAVIGATION if need.is_met_by(access)]
        return {"access": access, "links": links, "has_session": session_of(request) is not None}

    def _here(self) -> str:
        """The address of the present request."""
        return self.addresses.of(request.path, request.args.to_dict(flat=False))

    def _stream(self, template: str, view: Callable[[], Context | Shown]) -> Response:
        def render() -> str:
            shared = {"here": self._here(), **self._shown_by_access()}
            try:
                found = view()
                context = found.context if isinstance(found, Shown) else found
                return self._renderer.live(template, {**shared, **context})
            except (UnknownTask, UnknownType, UnknownBatch) as error:
                return self._renderer.live("gone.html", {"message": str(error), "was": GONE[type(error)]})

        # Senders with other rights see other tasks, and other buttons.
        events = self._live.stream((current_access(), request.url), render)
        return stream_response(events)

    def _answer_errors(self) -> None:
        for kind, error_response in ERROR_RESPONSES.items():
            self.blueprint.register_error_handler(kind, partial(self._error, error_response))
        self.blueprint.register_error_handler(HTTPException, self._http_error)
        self.blueprint.register_error_handler(Unauthenticated, self._sign_in)

    def _sign_in(self, error: Unauthenticated) -> Response:
        """Lead to the page where a browser signs in. A form is not sent again: its answer says what is wrong."""
        if request.method == "GET" and not _asks_for_stream():
            return see_other(self.addresses("sign-in", query={"back": self._here()}))
        return self._error(ERROR_RESPONSES[Unauthenticated], error)

    def _error(self, error_response: ErrorResponse, error: Exception) -> Response:
        context = _error_context(error_response.code, error_response.message(error), error_response.errors(error))
        template = "unknown_task.html" if isinstance(error, UnknownTask) else "error.html"
        cure = finding_of(error).cure if isinstance(error, StorageUnavailable) else None
        response = self._html(
            template, {"kept_seconds": self._kept_seconds, "cure": cure, **context}, error_response.code
        )
        response.headers.update(error_response.headers)
        return response

    def _http_error(self, error: HTTPException) -> Response:
        code, errors = error.code or 500, getattr(error, "data", {}).get("messages")
        message = MESSAGES_BY_CODE.get(code, error.description)
        return self._html("error.html", {"cure": None, **_error_context(code, message, errors)}, code)


def _error_context(code: int, message: str | None, errors: Mapping[str, Any] | None) -> Context:
    return {"code": code, "message": message or "", "errors": errors or {}}


def _asks_for_stream() -> bool:
    """Whether the client accepts an event stream. One that asks for a whole page to swap a part of it gets the page."""
    asks_for_page = request.headers.get("HX-Request-Type") == "full"
    return EVENT_STREAM in request.headers.get("Accept", "") and not asks_for_page


def _unknown(path: str) -> Response:
    raise NotFound(path)
