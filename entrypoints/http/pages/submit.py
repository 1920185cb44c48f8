"""The pages that submit tasks: a form for each type, filled by its address or by the task that is run again."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, ServiceUnavailable, UnprocessableEntity

from application.errors import (
    CallbacksDisabled,
    Forbidden,
    InvalidArguments,
    InvalidBatch,
    InvalidItems,
    InvalidReferences,
    KeyTaken,
    KeyTakenByBatch,
    StorageUnavailable,
    TypeClosed,
    UnknownTask,
    UnknownType,
)
from application.json.errors import NotJson, UnkeepableJson
from application.json.placeholders import placeholders
from application.ports.published_types import PublishedType
from application.submissions import TaskRequest
from application.use_cases.create_batch import BatchRequest
from application.view import View
from domain.errors import InvalidIdempotencyKey, InvalidOption
from domain.ids import TypeName
from entrypoints.http.access.current import current_access
from entrypoints.http.access.needs import SUBMIT
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.pages.blueprint import Done, Pages, Shown
from entrypoints.http.pages.formats import number
from entrypoints.http.pages.forms.code import curl, python
from entrypoints.http.pages.forms.options import FIELDS, usual
from entrypoints.http.pages.forms.sent import each_once
from entrypoints.http.pages.forms.submission import FROM, SWEEPS, SubmissionForm
from entrypoints.http.pages.own_tasks import OwnTasks
from entrypoints.http.requests.body import json_object
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.responses.errors import ERROR_RESPONSES
from entrypoints.http.services import Services

TEMPLATE = "submit.html"
MAX_SWEEPS = 1
"""Sweeps that one process checks and stores at the same time: each may have 10,000 tasks."""
ACTION = "do"
"""The name of the buttons of the form."""
NOT_JSON = "The arguments are not a JSON object."
FORM_ERRORS = (
    *(NotJson, UnkeepableJson, InvalidArguments, InvalidReferences, InvalidOption, InvalidIdempotencyKey, KeyTaken),
    *(InvalidItems, InvalidBatch, KeyTakenByBatch, CallbacksDisabled, TypeClosed, Forbidden),
    *(StorageUnavailable, ServiceUnavailable, UnprocessableEntity),
)
"""Errors with which the form is shown again, with all that was typed."""


def add_submit(pages: Pages, services: Services) -> None:
    """Add the pages and their action."""
    forms = _Forms(pages, services)

    @pages.page("/submit", TEMPLATE, SUBMIT)
    def choose_type() -> dict[str, Any]:
        return forms.choices() | {"form": None, "unknown": None}

    @pages.page("/submit/<type>", TEMPLATE, SUBMIT)
    def fill_form(type: str) -> Shown:
        try:
            published = forms.published(type)
        except UnknownType:
            return forms.unknown(type)
        sent = each_once(request.args)
        return forms.shown(SubmissionForm.of(published, sent, forms.origin(sent)))

    @pages.action("/submit/<type>", SUBMIT)
    def submit_task(posted: MultiDict[str, str], type: str) -> Done | Shown:
        sent, do = _switched(each_once(posted))
        form = SubmissionForm.of(forms.published(type), sent, forms.origin_if_it_exists(sent))
        match do:
            case "json":
                form.as_whole()
                return forms.shown(form)
            case "fields":
                form.as_fields()
                return forms.shown(form, 422 if form.errors else 200)
            case "code":
                return forms.shown(form, opens_code=True)
            case "sweep" | "single" | "count":
                return forms.shown(form)
            case "keep":
                return forms.kept(form)
        try:
            return forms.swept(form) if form.sweeps else forms.submitted(form)
        except FORM_ERRORS as error:
            return forms.shown(form, _placed(form, error))


class _Forms:
    """Shows forms, and submits the tasks that they describe."""

    def __init__(self, pages: Pages, services: Services) -> None:
        self._addresses = pages.addresses
        self._known_types = services.known_types()
        self._submit = services.submit_task()
        self._create_batch = services.create_batch()
        self._bulkhead = Bulkhead(MAX_SWEEPS, "another form is submitting many tasks: try again")
        self._view_own = OwnTasks(services)
        self._max_bytes = services.settings().max_body

    def published(self, type: str) -> PublishedType:
        """The type of this name. Raises UnknownType."""
        return self._known_types.named(TypeName(type))

    def choices(self) -> dict[str, Any]:
        """The types, those that are abandoned last."""
        by_name = sorted(self._known_types.all().values(), key=lambda each: (each.abandoned, each.type.name))
        return {"choices": by_name}

    def unknown(self, type: str) -> Shown:
        """The choice of a type, with those whose names are close to an unknown one."""
        close = get_close_matches(type, self._known_types.all(), 3, 0.5)
        return Shown(TEMPLATE, self.choices() | {"form": None, "unknown": {"name": type, "close": close}}, 404)

    def origin(self, sent: Mapping[str, str]) -> View | None:
        """The task that is to be run again. Raises UnknownTask."""
        return self._view_own(task_id(sent[FROM])) if sent.get(FROM) else None

    def origin_if_it_exists(self, sent: Mapping[str, str]) -> View | None:
        """The same; None if it does not exist any more."""
        try:
            return self.origin(sent)
        except UnknownTask:
            return None

    def shown(self, form: SubmissionForm, status: int = 200, opens_code: bool = False, asks: bool = False) -> Shown:
        """The page of a form."""
        type, query = form.published.type, form.query()
        how = (self._addresses.public(), type.name, form.json, form.options.query, form.options.texts.get("key"))
        context = {
            "form": form,
            "type": type,
            "option_fields": FIELDS,
            "usual": usual(type),
            "opens_code": opens_code,
            "asks": asks,
            "code": None if form.has_broken_text or form.sweep.fields else {"curl": curl(*how), "Python": python(*how)},
            "address_of_form": self._addresses("submit", type.name, query=query) if query is not None else None,
        }
        return Shown(TEMPLATE, self.choices() | context, status)

    def kept(self, form: SubmissionForm) -> Done | Shown:
        """Lead to the address that holds the filled form, unless it would be too long."""
        query = form.query()
        if query is None:
            form.errors.append("The form holds too much for an address.")
            return self.shown(form, 422)
        address = self._addresses("submit", form.published.type.name, query=query)
        return Done("The address of this page holds the filled form now.", address)

    def submitted(self, form: SubmissionForm) -> Done | Shown:
        """Submit the task, unless the form is known to be wrong. Raises FORM_ERRORS."""
        options = form.options.request()
        form.check_length(self._max_bytes)
        if form.has_errors:
            return self.shown(form, 422)
        args, key = json_object(form.json), form.key()
        has_references = form.origin is not None and form.origin.task.has_references
        request = TaskRequest(
            type=form.published.type.name,
            args=args,
            key=key,
            placeholders=placeholders(args) if has_references else (),
            by=current_access(),
            **options,
        )
        task = self._submit(request, form.origin_id)
        id, again = task.view.task.id, f" It runs task {form.origin_id} again." if form.origin_id else ""
        sentence = f"Task {id} is submitted.{again}" if task.is_new else f"Task {id} was submitted by this form before."
        return Done(sentence, self._addresses("task", id))

    def swept(self, form: SubmissionForm) -> Done | Shown:
        """Submit a task for each set of arguments, as one batch, once the button has named their number.

        Raises FORM_ERRORS.
        """
        options = form.options.request()
        form.check_length(self._max_bytes)
        form.check_sweep()
        if form.has_errors:
            return self.shown(form, 422)
        if form.confirmed != str(form.count):
            return self.shown(form, asks=True)
        type, sweep, key = form.published.type.name, form.sweep, form.key()
        sets = sweep.arguments(json_object(form.json))
        by = current_access()
        batch = BatchRequest(name=sweep.name(type), labels=options["labels"], key=key, by=by)
        with self._bulkhead:
            tasks = self._create_batch.checked(TaskRequest(type=type, args=args, by=by, **options) for args in sets)
            created = self._create_batch(batch, tasks)
        are = "1 task is" if sweep.count == 1 else f"{number(sweep.count)} tasks are"
        sentence = f"{are} submitted." if created.is_new else "This form was submitted before."
        return Done(sentence, self._addresses("batch", created.id))


def _switched(sent: dict[str, str]) -> tuple[dict[str, str], str]:
    """The fields, which from now on have several values or one each if that was asked for, and the button."""
    do = sent.get(ACTION, "")
    if do == "single":
        sent.pop(SWEEPS, None)
    return (sent | {SWEEPS: "1"} if do == "sweep" else sent), do


def _placed(form: SubmissionForm, error: Exception) -> int:
    """Note an error in the form, and return the status code of the answer."""
    if isinstance(error, HTTPException):
        is_busy = isinstance(error, ServiceUnavailable)
        form.errors.append(f"{error.description}." if is_busy else NOT_JSON)
        return 503 if is_busy else 422
    kind = next(each for each in type(error).__mro__ if each in ERROR_RESPONSES)
    found = ERROR_RESPONSES[kind]
    errors = found.errors(error) or {}
    form.place(form.sweep.errors(errors["json"]) if isinstance(error, InvalidItems) else errors)
    if not form.has_errors:
        form.errors.append(found.message(error))
    return 503 if found.code == 503 else 422
