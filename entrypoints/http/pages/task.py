"""The page of one task, and the actions on it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from application.json.placeholders import placeholders
from application.ports.task_repository import TaskRecord
from application.submissions import TaskRequest
from application.use_cases.find_usual_run_time import UsualRunTime
from application.use_cases.view_task import ViewTask
from application.view import View
from domain.status import Status
from entrypoints.http.access.current import current_access
from entrypoints.http.access.needs import MANAGE, READ, SUBMIT
from entrypoints.http.pages.blueprint import Done, Download, Pages
from entrypoints.http.pages.formats import labels
from entrypoints.http.pages.forms.submission import typed_key
from entrypoints.http.pages.json_text import shown_text
from entrypoints.http.pages.json_tree import steps_to, tree_of
from entrypoints.http.pages.life import Start, life_of
from entrypoints.http.pages.lineage import FindAncestry
from entrypoints.http.requests.body import json_object
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.services import Services

Form = MultiDict[str, str]
MAX_NUMBER_DIGITS = 9
MIN_USUAL_RUNS = 3


def add_task(pages: Pages, services: Services) -> None:
    """Add the page, the pages of its arguments and its result, and its actions."""
    _add_pages(pages, services)
    _add_values(pages, services)
    _add_actions(pages, services)


def _add_pages(pages: Pages, services: Services) -> None:
    view, records, find_usual = services.view_task(), services.view_log(), services.find_usual_run_time()
    known_types, find_ancestry = services.known_types(), FindAncestry(services)

    @pages.page("/task/<id>", "task.html", READ)
    def task(id: str) -> dict[str, Any]:
        viewed = view.without_large(task_id(id))
        task = viewed.task
        usual = _reliable(find_usual(task.type))
        starts = life_of(task, records(task.id), usual)
        return {
            "view": viewed,
            "task": task,
            "key": typed_key(viewed.stored.key),
            "starts": starts,
            "shown": _shown(starts),
            "usual": usual,
            "published": known_types.all().get(task.type),
            "text": partial(_text_of, viewed, view),
            "tree": tree_of,
            "ancestry": partial(find_ancestry, task.id),
        }

    @pages.page("/task/<id>/delete", "delete.html", MANAGE)
    def confirm_deletion(id: str) -> dict[str, Any]:
        return {"task": view.without_large(task_id(id)).task}


def _add_values(pages: Pages, services: Services) -> None:
    view = services.view_task()

    @pages.page("/task/<id>/<any(args, result):part>", "value.html", READ)
    def value(id: str, part: str) -> dict[str, Any]:
        viewed = view(task_id(id))
        text = _text(viewed.stored, part)
        place, first = request.args.get("path", ""), _number("from")
        try:
            tree, steps = tree_of(text, place, first), steps_to(text, place)
        except LookupError:
            raise NotFound(f"the {part} of task {id} have no value at {place}") from None
        return {
            "task": viewed.task,
            "part": part,
            "place": place,
            "tree": tree,
            "steps": steps,
            "text": shown_text(text, tree.root.value, first),
        }

    @pages.download("/task/<id>/<any(args, result):part>.json", READ)
    def download(id: str, part: str) -> Download:
        viewed = view(task_id(id))
        return Download(f"task-{viewed.task.id}-{part}.json", _text(viewed.stored, part))


def _add_actions(pages: Pages, services: Services) -> None:
    view, submit = services.view_task(), services.submit_task()
    cancel, retry, delete = services.cancel_task(), services.retry_task(), services.delete_task()

    @pages.action("/task/<id>/cancel", MANAGE)
    def cancel_task(_: Form, id: str) -> Done:
        cancel(task_id(id))
        return Done(f"Task {id} is cancelled.")

    @pages.action("/task/<id>/retry", MANAGE)
    def retry_task(_: Form, id: str) -> Done:
        retry(task_id(id))
        return Done(f"Task {id} waits for another attempt.")

    @pages.action("/task/<id>/again", SUBMIT)
    def run_again(_: Form, id: str) -> Done:
        origin = view(task_id(id))
        new = submit(_same_request(origin), origin.task.id).view.task.id
        return Done(f"Task {new} runs task {id} again, with the same arguments.", pages.addresses("task", new))

    @pages.action("/task/<id>/delete", MANAGE)
    def delete_task(_: Form, id: str) -> Done:
        delete(task_id(id))
        return Done(f"Task {id} is deleted.", pages.addresses("tasks"))


def _reliable(usual: UsualRunTime | None) -> UsualRunTime | None:
    """The usual run time, if it is the median of enough runs."""
    return usual if usual and usual.runs >= MIN_USUAL_RUNS else None


def _shown(starts: Sequence[Start]) -> Start | None:
    """The start whose log is shown: the one that the address names, or the last one."""
    claim = _number("start")
    return next((each for each in starts if each.claim == claim), starts[-1] if starts else None)


def _number(parameter: str) -> int:
    """A whole number of the address; 0 if there is none."""
    text = request.args.get(parameter, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_NUMBER_DIGITS else 0


def _text_of(viewed: View, view: ViewTask, part: str) -> str:
    """The JSON text of the arguments or the result; a large one is read only now, since the live region needs none."""
    stored = view(viewed.task.id).stored if viewed.stored.is_summary else viewed.stored
    return _text(stored, part)


def _text(stored: TaskRecord, part: str) -> str:
    """The JSON text of the arguments or the result. Raises NotFound: there is no result."""
    text = stored.args if part == "args" else stored.result
    if text is None or (part == "result" and stored.task.status is not Status.DONE):
        raise NotFound(f"task {stored.task.id} has no result")
    return text


def _same_request(viewed: View) -> TaskRequest:
    """The request for a task like this one. It may have as many attempts as its type has: retries raise the limit."""
    task = viewed.task
    options = {"priority": task.priority, "timeout": task.timeout, "max_losses": task.max_losses}
    callback = {"callback": task.callback} if task.callback else {}
    args = json_object(viewed.stored.args)
    return TaskRequest(
        type=task.type,
        args=args,
        ttl=task.ttl,
        options=options | callback,
        labels=labels(task.labels),
        placeholders=placeholders(args) if task.has_references else (),
        by=current_access(),
    )
