"""JSON of a batch in answers."""

from collections.abc import Sequence
from dataclasses import asdict

from application.json.text import dump
from application.ports.batches import BatchRecord
from application.use_cases.view_batch import BatchView
from domain.batch import BatchCount
from domain.task import Task
from entrypoints.task_json import callback_state_json, error_json, milliseconds, seconds


def batch_json(view: BatchView) -> str:
    """Make the JSON of a batch with its first failures."""
    return f'{{{_members(view.record)},"failures":{_failures(view.failures)}}}'


def batch_summary_json(record: BatchRecord) -> str:
    """Make the JSON of a batch in a list, without its failures."""
    return f"{{{_members(record)}}}"


def _members(record: BatchRecord) -> str:
    batch, counts = record.batch, record.counts
    return (
        f'"id":{batch.id},"name":{dump(batch.name)},"labels":{batch.labels or "{}"},"open":{dump(batch.is_open)},'
        f'"created":{seconds(batch.created)},"expire":{seconds(batch.expire)},'
        f'"finished":{milliseconds(batch.finished)},"total":{counts.total},'
        f'"counts":{dump({status: counts.by_status.get(status, 0) for status in BatchCount})},'
        f'"progress":{dump(asdict(counts.progress))},"then":{dump(batch.then)},'
        f'"callback":{callback_state_json(batch.callback, record.delivery)}'
    )


def _failures(tasks: Sequence[Task]) -> str:
    return f"[{','.join(map(_failure, tasks))}]"


def _failure(task: Task) -> str:
    return f'{{"id":{task.id},"type":{dump(task.type)},"error":{error_json(task.error)}}}'
