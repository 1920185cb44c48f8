"""A task as answers show it, spliced from the JSON texts that are kept: they are not parsed on the way out."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from application.json.text import dump
from application.ports.task_repository import TaskRecord
from application.view import View
from domain.failure import Error
from domain.progress import Progress
from domain.task import Task

FIELDS = (
    "id", "type", "status", "args", "result", "error", "progress", "created", "expire", "run_at", "started",
    "finished", "attempt", "max_attempts", "priority", "handler", "waiting_for",
)  # fmt: skip
"""The fields of a task. An argument of such a name stands in `args` alone."""

CALLBACK = "callback"
"""The field that only a task with a callback has."""

UNFINISHED = "waiting"
"""How a callback stands before there is anything to tell."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_FIELD_KEYS = tuple(f'"{field}":' for field in (*FIELDS, CALLBACK))

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def task_json(view: View) -> str:
    """The whole task: each argument stands again at the top level, unless its name is that of a field."""
    args, result = view.stored.args, view.stored.result
    fields = FIELDS if view.task.callback is None else (*FIELDS, CALLBACK)
    body = f'"args":{args},{_members(args, fields)}"result":{result or "null"}'
    return f"{{{_head(view.task)},{body},{_tail(view)}{_callback(view.stored)}}}"


def summary_json(view: View) -> str:
    """The task as lists show it: without arguments and result."""
    return f"{{{_head(view.task)},{_tail(view)}}}"


def _text(text: str | None) -> str:
    return "null" if text is None else _json(text)


def _head(task: Task) -> str:
    return f'"id":{task.id},"type":{_json(task.type)},"status":"{task.status}"'


def _tail(view: View) -> str:
    task = view.task
    return (
        f'"error":{_error(task.error)},"progress":{_progress(task.progress)},'
        f'"created":{_seconds(task.created)},"expire":{_seconds(task.expire)},'
        f'"run_at":{milliseconds(task.run_at)},"started":{milliseconds(task.started)},'
        f'"finished":{milliseconds(task.finished)},'
        f'"attempt":{task.attempt},"max_attempts":{task.max_attempts},"priority":{task.priority},'
        f'"handler":{_text(task.lease.handler if task.lease else None)},"waiting_for":{_text(view.waiting_for)}'
    )


def _members(args: str, fields: Sequence[str]) -> str:
    """The members of a compact JSON object that are not called like these fields, each with a comma behind it."""
    # A key of the text stands as it would in FIELD_KEYS; a value may look like one, which costs time and nothing else.
    if any(key in args for key in _FIELD_KEYS):
        args = dump({name: value for name, value in json.loads(args).items() if name not in fields})
    return "" if args == "{}" else args[1:-1] + ","


def _callback(stored: TaskRecord) -> str:
    """How far the address has been told, with a comma in front; nothing where there is none."""
    if stored.task.callback is None:
        return ""
    delivery = stored.delivery
    return (
        f',"{CALLBACK}":{{"url":{_json(stored.task.callback)},"state":"{delivery.state if delivery else UNFINISHED}",'
        f'"attempts":{delivery.attempts if delivery else 0},"next":{milliseconds(delivery.next if delivery else None)},'
        f'"error":{_json(delivery and delivery.error)}}}'
    )


def _error(error: Error | None) -> str:
    return "null" if error is None else _json({"type": error.type, "message": error.message, "attempt": error.attempt})


def _progress(progress: Progress | None) -> str:
    return "null" if progress is None else _json({"value": progress.value, "message": progress.message})


def _seconds(moment: datetime) -> str:
    return str((moment - _EPOCH) // _SECOND)


def milliseconds(moment: datetime | None) -> str:
    """Unix seconds with milliseconds, as JSON."""
    return "null" if moment is None else str((moment - _EPOCH) // _MILLISECOND / 1000)
