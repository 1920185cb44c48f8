"""JSON of a task in answers, built from the stored texts of its arguments and its result without parsing them."""

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from application.json.text import dump
from application.ports.listing import Part
from application.ports.task_repository import TaskRecord
from application.view import View
from domain.delivery import Delivery
from domain.failure import Error
from domain.instants import NEVER
from domain.progress import Progress
from domain.status import Status
from domain.task import Task

FIELDS = (
    "id", "type", "status", "args", "result", "error", "progress", "created", "expire", "run_at", "started",
    "finished", "attempt", "max_attempts", "priority", "handler", "waiting_for",
)  # fmt: skip
"""The fields of a task. An argument with one of these names is in `args` only."""

AFTER, BATCH, CALLBACK, LABELS = "after", "batch", "callback", "labels"
"""The fields that a task without parents, a batch, a callback or labels does not have."""

UNFINISHED = "waiting"
"""State of a callback before its task has finished."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_FIELD_KEYS = tuple(f'"{field}":' for field in (*FIELDS, AFTER, BATCH, CALLBACK, LABELS))

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def task_json(view: View) -> str:
    """Make the JSON of a task. Each argument is repeated at the top level, unless a field has the same name."""
    args, result = view.stored.args, view.stored.result
    fields = (*FIELDS, *_optional_fields(view.stored))
    body = f'"args":{args},{_members(args, fields)}"result":{result or "null"}'
    more = f"{_after(view.stored)}{_group(view.task)}{_callback(view.stored)}"
    return f"{{{_head(view.task)},{body},{_tail(view)}{more}}}"


def summary_json(view: View, include: Collection[Part] = ()) -> str:
    """Make the JSON of a task in a list, with those of its texts that are to be included."""
    args = f'"args":{view.stored.args},' if Part.ARGS in include else ""
    result = f'"result":{view.stored.result or "null"},' if Part.RESULT in include else ""
    return f"{{{_head(view.task)},{args}{result}{_tail(view)}{_group(view.task)}}}"


def _optional_fields(stored: TaskRecord) -> Iterator[str]:
    if stored.task.batch is not None:
        yield BATCH
    if stored.task.callback is not None:
        yield CALLBACK
    if stored.task.labels is not None:
        yield LABELS
    if stored.parents:
        yield AFTER


def state_json(task: Task) -> str:
    """Make the JSON of the state of a task: what changes while it goes on, and how it has ended."""
    now = f'"id":{task.id},"status":"{task.status}","progress":{progress_json(task.progress)},"attempt":{task.attempt}'
    if not task.status.is_final:
        return f"{{{now}}}"
    error_type = task.error.type if task.error and task.status is Status.FAILED else None
    return f'{{{now},"finished":{milliseconds(task.finished)},"error_type":{_text(error_type)}}}'


def _text(text: str | None) -> str:
    return "null" if text is None else _json(text)


def _head(task: Task) -> str:
    return f'"id":{task.id},"type":{_json(task.type)},"status":"{task.status}"'


def _tail(view: View) -> str:
    task = view.task
    return (
        f'"error":{error_json(task.error)},"progress":{progress_json(task.progress)},'
        f'"created":{seconds(task.created)},"expire":{seconds(task.expire) if task.expire < NEVER else "null"},'
        f'"run_at":{milliseconds(None if task.is_blocked else task.run_at)},"started":{milliseconds(task.started)},'
        f'"finished":{milliseconds(task.finished)},'
        f'"attempt":{task.attempt},"max_attempts":{task.max_attempts},"priority":{task.priority},'
        f'"handler":{_text(task.lease.handler if task.lease else None)},"waiting_for":{_text(view.waiting_for)}'
    )


def _members(args: str, fields: Sequence[str]) -> str:
    """Extract the members of a compact JSON object, except those named like a field, each followed by a comma."""
    # A match may also be in a value, not a key: then parsing only costs time.
    if any(key in args for key in _FIELD_KEYS):
        args = dump({name: value for name, value in json.loads(args).items() if name not in fields})
    return "" if args == "{}" else args[1:-1] + ","


def _group(task: Task) -> str:
    """Make the members of batch and labels, each after a comma; an empty text if the task has none."""
    batch = "" if task.batch is None else f',"{BATCH}":{task.batch}'
    return batch if task.labels is None else f',"{LABELS}":{task.labels}{batch}'


def _after(stored: TaskRecord) -> str:
    """Make the member of the parents, after a comma; an empty text if the task has none."""
    return f',"{AFTER}":[{",".join(map(str, stored.parents))}]' if stored.parents else ""


def _callback(stored: TaskRecord) -> str:
    """Make the member of the callback, after a comma; an empty text if the task has none."""
    callback = stored.task.callback
    return "" if callback is None else f',"{CALLBACK}":{callback_state_json(callback, stored.delivery)}'


def callback_state_json(url: str | None, delivery: Delivery | None) -> str:
    """Make the JSON of a callback and of how far its message has been delivered; null if there is none."""
    if url is None:
        return "null"
    return (
        f'{{"url":{_json(url)},"state":"{delivery.state if delivery else UNFINISHED}",'
        f'"attempts":{delivery.attempts if delivery else 0},"next":{milliseconds(delivery.next if delivery else None)},'
        f'"error":{_json(delivery and delivery.error)}}}'
    )


def error_json(error: Error | None) -> str:
    """Make the JSON of the error of a task, or null."""
    return "null" if error is None else _json({"type": error.type, "message": error.message, "attempt": error.attempt})


def progress_json(progress: Progress | None) -> str:
    """Make the JSON of the progress of a task, or null."""
    return "null" if progress is None else _json({"value": progress.value, "message": progress.message})


def seconds(moment: datetime) -> str:
    """Format a time as JSON: whole Unix seconds."""
    return str((moment - _EPOCH) // _SECOND)


def milliseconds(moment: datetime | None) -> str:
    """Format a time as JSON: Unix seconds with milliseconds, or null."""
    return "null" if moment is None else str((moment - _EPOCH) // _MILLISECOND / 1000)
