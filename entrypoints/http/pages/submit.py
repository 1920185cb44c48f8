"""The page that submits a task of one type."""

from typing import Any

from werkzeug.datastructures import MultiDict

from application.submissions import TaskRequest
from domain.ids import TypeName
from entrypoints.http.pages.blueprint import Done, Pages
from entrypoints.http.requests.body import json_object
from entrypoints.http.services import Services


def add_submit(pages: Pages, services: Services) -> None:
    """Add the page and its action."""
    known_types, submit = services.known_types(), services.submit_task()

    @pages.page("/submit", "submit.html")
    def choose_type() -> dict[str, Any]:
        return {"types": known_types.offered(), "type": None}

    @pages.page("/submit/<type>", "submit.html")
    def fill_form(type: str) -> dict[str, Any]:
        return {"types": known_types.offered(), "type": known_types.named(TypeName(type)).type}

    @pages.action("/submit/<type>")
    def submit_task(form: MultiDict[str, str], type: str) -> Done:
        submitted = submit(TaskRequest(type=TypeName(type), args=json_object(form.get("args", "{}"))))
        id = submitted.view.task.id
        return Done(f"Task {id} is submitted.", pages.addresses("task", id))
