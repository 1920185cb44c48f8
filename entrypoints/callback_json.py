"""What an address is told of a task that has finished."""

from application.view import View
from entrypoints.task_json import summary_json, task_json

LARGEST = 1024 * 1024
"""Bytes. What has more is told without its arguments and its result."""


def event_json(view: View) -> bytes:
    """The news of a finished task, which it shows as its own address would."""
    # A character has a byte at least. Arguments stand there twice.
    if 2 * len(view.stored.args) + len(view.stored.result or "") <= LARGEST:
        whole = _event(view, task_json(view))
        if len(whole) <= LARGEST:
            return whole
    return _event(view, summary_json(view), ',"truncated":true')


def _event(view: View, data: str, more: str = "") -> bytes:
    assert view.task.finished
    when = view.task.finished.isoformat(timespec="milliseconds")
    return f'{{"type":"task.{view.task.status}","timestamp":"{when}","data":{data}{more}}}'.encode()
