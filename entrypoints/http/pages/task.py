"""The page of one task, and the actions on it."""

from typing import Any

from werkzeug.datastructures import MultiDict

from entrypoints.http.pages.blueprint import Done, Pages
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.services import Services

Form = MultiDict[str, str]


def add_task(pages: Pages, services: Services) -> None:
    """Add the page and its actions."""
    view, attempts = services.view_task(), services.view_log()
    cancel, retry, delete = services.cancel_task(), services.retry_task(), services.delete_task()

    @pages.page("/task/<id>", "task.html")
    def task(id: str) -> dict[str, Any]:
        viewed = view(task_id(id))
        return {"view": viewed, "task": viewed.task, "attempts": attempts(viewed.task.id)}

    @pages.action("/task/<id>/cancel")
    def cancel_task(_: Form, id: str) -> Done:
        cancel(task_id(id))
        return Done(f"Task {id} is cancelled.")

    @pages.action("/task/<id>/retry")
    def retry_task(_: Form, id: str) -> Done:
        retry(task_id(id))
        return Done(f"Task {id} waits for another attempt.")

    @pages.action("/task/<id>/delete")
    def delete_task(_: Form, id: str) -> Done:
        delete(task_id(id))
        return Done(f"Task {id} is deleted.", pages.addresses("tasks"))
