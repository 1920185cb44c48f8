"""The pages that submit a task: a form for each type, filled by its address or by the task that is run again."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from flask import request
from werkzeug.exceptions import UnprocessableEntity

from application.errors import (
    CallbacksDisabled,
    InvalidArguments,
    KeyTaken,
    StorageUnavailable,
    UnknownTask,
    UnknownType,
)
from application.json.errors import NotJson, UnkeepableJson
from application.ports.published_types import PublishedType
from application.submissions import TaskRequest
from application.view import View
from domain.errors import InvalidIdempotencyKey, InvalidOption
from domain.ids import TypeName
from entrypoints.http.pages.blueprint import Done, Pages, Shown
from entrypoints.http.pages.forms.code import curl, python
from entrypoints.http.pages.forms.options import FIELDS, usual
from entrypoints.http.pages.forms.submission import FROM, SubmissionForm
from entrypoints.http.requests.body import json_object
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.responses.errors import ERROR_RESPONSES
from entrypoints.http.services import Services

TEMPLATE = "submit.html"
ACTION = "do"
"""The name of the buttons of the form."""
NOT_JSON = "The arguments are not a JSON object."
FORM_ERRORS = (
    *(NotJson, UnkeepableJson, InvalidArguments, InvalidOption, CallbacksDisabled, InvalidIdempotencyKey, KeyTaken),
    *(StorageUnavailable, UnprocessableEntity),
)
"""Errors with which the form is shown again, with all that was typed."""


def add_submit(pages: Pages, services: Services) -> None:
    """Add the pages and their action."""
    known_types, submit, view = services.known_types(), services.submit_task(), services.view_task()
    settings = services.settings()

    def choices() -> dict[str, Any]:
        return {"choices": sorted(known_types.all().values(), key=lambda each: (each.abandoned, each.type.name))}

    def shown(form: SubmissionForm, status: int = 200, opens_code: bool = False) -> Shown:
        type = form.published.type
        how = (pages.addresses.public(), type.name, form.json, form.options.query, form.options.texts.get("key"))
        query = form.query()
        context = {
            "form": form,
            "type": type,
            "option_fields": FIELDS,
            "usual": usual(type),
            "opens_code": opens_code,
            "code": None if form.has_broken_text else {"curl": curl(*how), "Python": python(*how)},
            "address_of_form": pages.addresses("submit", type.name, query=query) if query is not None else None,
        }
        return Shown(TEMPLATE, choices() | context, status)

    def origin(sent: Mapping[str, str]) -> View | None:
        return view(task_id(sent[FROM])) if sent.get(FROM) else None

    def origin_if_it_exists(sent: Mapping[str, str]) -> View | None:
        try:
            return origin(sent)
        except UnknownTask:
            return None

    def submitted(form: SubmissionForm) -> Done | Shown:
        options = form.options.request()
        form.check_length(settings.max_body)
        if form.has_errors:
            return shown(form, 422)
        task_request = TaskRequest(
            type=form.published.type.name, args=json_object(form.json), key=form.key(), **options
        )
        task = submit(task_request, form.origin_id)
        id, again = task.view.task.id, f" It runs task {form.origin_id} again." if form.origin_id else ""
        sentence = f"Task {id} is submitted.{again}" if task.is_new else f"Task {id} was submitted by this form before."
        return Done(sentence, pages.addresses("task", id))

    @pages.page("/submit", TEMPLATE)
    def choose_type() -> dict[str, Any]:
        return choices() | {"form": None, "unknown": None}

    @pages.page("/submit/<type>", TEMPLATE)
    def fill_form(type: str) -> Shown:
        try:
            published = known_types.named(TypeName(type))
        except UnknownType:
            return Shown(TEMPLATE, choices() | _unknown(type, known_types.all()), 404)
        sent = request.args.to_dict()
        return shown(SubmissionForm.of(published, sent, origin(sent)))

    @pages.action("/submit/<type>")
    def submit_task(sent: Mapping[str, str], type: str) -> Done | Shown:
        form = SubmissionForm.of(known_types.named(TypeName(type)), sent, origin_if_it_exists(sent))
        match sent.get(ACTION):
            case "json":
                form.as_whole()
                return shown(form)
            case "fields":
                form.as_fields()
                return shown(form, 422 if form.errors else 200)
            case "code":
                return shown(form, opens_code=True)
            case "keep":
                query = form.query()
                if query is None:
                    form.errors.append("The form holds too much for an address.")
                    return shown(form, 422)
                address = pages.addresses("submit", type, query=query)
                return Done("The address of this page holds the filled form now.", address)
        try:
            return submitted(form)
        except FORM_ERRORS as error:
            return shown(form, _placed(form, error))


def _placed(form: SubmissionForm, error: Exception) -> int:
    """Note an error in the form, and return the status code of the answer."""
    if isinstance(error, UnprocessableEntity):
        form.errors.append(NOT_JSON)
        return 422
    kind = next(each for each in type(error).__mro__ if each in ERROR_RESPONSES)
    found = ERROR_RESPONSES[kind]
    form.place(found.errors(error) or {})
    if not form.has_errors:
        form.errors.append(found.message(error))
    return 503 if isinstance(error, StorageUnavailable) else 422


def _unknown(type: str, known: Mapping[TypeName, PublishedType]) -> dict[str, Any]:
    return {"form": None, "unknown": {"name": type, "close": get_close_matches(type, known, 3, 0.5)}}
