"""What an address is told of a task that has finished."""

from application.view import View
from entrypoints.task_json import summary_json, task_json

MAX_BYTES = 1024 * 1024
"""Bytes. What has more is told without its arguments and its result."""


def callback_json(view: View) -> bytes:
    """The news of a finished task, which it shows as its own address would."""
    # A character has a byte at least. Arguments stand there twice.
    if 2 * len(view.stored.args) + len(view.stored.result or "") <= MAX_BYTES:
        whole = _callback(view, task_json(view))
        if len(whole) <= MAX_BYTES:
            return whole
    return _callback(view, summary_json(view), ',"truncated":true')


def _callback(view: View, data: str, more: str = "") -> bytes:
    assert view.task.finished
    when = view.task.finished.isoformat(timespec="milliseconds")
    return f'{{"type":"task.{view.task.status}","timestamp":"{when}","data":{data}{more}}}'.encode()
