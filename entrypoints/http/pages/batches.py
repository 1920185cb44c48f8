"""The pages of batches: all of them, and one with its progress, its first failures and the actions on it."""

import re
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from application.errors import UnknownTask
from application.use_cases.view_task import ViewTask
from domain.batch import BatchCount
from domain.ids import BatchId, TaskId
from domain.status import RULES, Status, Verb
from entrypoints.http.access.current import own_tasks_of, permitted
from entrypoints.http.access.needs import READ, SUBMIT
from entrypoints.http.pages.batch_points import FindPlot
from entrypoints.http.pages.blueprint import Done, Pages
from entrypoints.http.pages.results.sweep_plot import Choice
from entrypoints.http.requests.parsing import ID, batch_id
from entrypoints.http.services import Services

PAGE_BATCHES = 50
VERBS = (Verb.RETRY, Verb.CANCEL)
"""The verbs by which a person changes the tasks of a batch."""


def add_batches(pages: Pages, services: Services) -> None:
    """Add the pages and the action."""
    _add_list(pages, services)
    _add_batch(pages, services)


def _add_list(pages: Pages, services: Services) -> None:
    list_page = services.list_batches()

    @pages.page("/batches", "batches.html", READ)
    def batches() -> dict[str, Any]:
        before = _cursor()
        return {"page": list_page(before, PAGE_BATCHES, own_tasks_of()), "is_first": before is None}


def _add_batch(pages: Pages, services: Services) -> None:
    view, view_task, close = services.view_batch(), services.view_task(), services.close_batch()
    find_plot = FindPlot(services)

    @pages.page("/batch/<id>", "batch.html", READ)
    def batch(id: str) -> dict[str, Any]:
        viewed = view(batch_id(id))
        batch, counts = viewed.record.batch, viewed.record.counts
        number_by_status = {status: counts.by_status.get(BatchCount(status), 0) for status in Status}
        return {
            "batch": batch,
            "counts": counts,
            "number_by_status": number_by_status,
            "deleted": counts.by_status.get(BatchCount.DELETED, 0),
            "failures": viewed.failures,
            "verbs": [verb for verb in permitted(VERBS) if any(number_by_status[status] for status in RULES[verb])],
            "find_plot": lambda: find_plot(viewed.record, Choice.of(request.args)),
            "follower": _status(view_task, batch.then) if batch.then is not None else None,
        }

    @pages.action("/batch/<id>/close", SUBMIT)
    def close_batch(_: MultiDict[str, str], id: str) -> Done:
        close(batch_id(id))
        return Done(f"Batch {id} is closed.", pages.addresses("batch", id))


def _cursor() -> BatchId | None:
    """The place in the list that the address names; None for its beginning, also if it names none."""
    text = request.args.get("cursor", "")
    return BatchId(int(text)) if re.fullmatch(ID, text) else None


def _status(view: ViewTask, id: TaskId) -> Status | None:
    """The status of a task; None if it does not exist any more."""
    try:
        return view.without_large(id).task.status
    except UnknownTask:
        return None
