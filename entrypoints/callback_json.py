"""JSON of a callback: the message about a finished task or batch."""

from application.use_cases.deliver import MAX_MESSAGE_BYTES, Messages
from application.use_cases.view_batch import BatchView
from application.view import View
from entrypoints.batch_json import batch_json
from entrypoints.task_json import summary_json, task_json


def callback_json(view: View) -> bytes:
    """Make the message, with the task as its view shows it, or as a list does if that would be too long."""
    # The arguments occur twice in the message, and a character has at least one byte.
    characters = 2 * len(view.stored.args) + len(view.stored.result or "")
    if not view.stored.is_summary and characters <= MAX_MESSAGE_BYTES:
        message = _message(view, task_json(view))
        if len(message) <= MAX_MESSAGE_BYTES:
            return message
    return _message(view, summary_json(view), ',"truncated":true')


def batch_callback_json(view: BatchView) -> bytes:
    """Make the message, with the batch as its view shows it."""
    finished = view.record.batch.finished
    assert finished
    timestamp = finished.isoformat(timespec="milliseconds")
    return f'{{"type":"batch.finished","timestamp":"{timestamp}","data":{batch_json(view)}}}'.encode()


def _message(view: View, data: str, more: str = "") -> bytes:
    assert view.task.finished
    timestamp = view.task.finished.isoformat(timespec="milliseconds")
    return f'{{"type":"task.{view.task.status}","timestamp":"{timestamp}","data":{data}{more}}}'.encode()


MESSAGES = Messages(callback_json, batch_callback_json)
