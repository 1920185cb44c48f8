"""JSON of handlers and janitors in answers."""

import json

from application.ports.monitoring import RunningTask
from application.use_cases.list_handlers import HandlerView, JanitorView, Processes
from entrypoints.task_json import milliseconds, progress_json

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def handlers_json(processes: Processes) -> str:
    """Make the JSON of all handlers and janitors."""
    handlers, janitors = map(_handler, processes.handlers), map(_janitor, processes.janitors)
    return f'{{"handlers":[{",".join(handlers)}],"janitors":[{",".join(janitors)}]}}'


def _handler(view: HandlerView) -> str:
    running = ",".join(map(_running, view.held.first))
    return (
        f"{{{_head(view)},"
        f'"concurrency":{_json(view.record.concurrency)},"idle":{_json(view.idle)},'
        f'"types":{_json(view.record.types)},"running":[{running}],'
        f'"running_count":{view.held.started},"claimed_count":{view.held.claimed}}}'
    )


def _janitor(view: JanitorView) -> str:
    return f"{{{_head(view)}}}"


def _head(view: HandlerView | JanitorView) -> str:
    record = view.record
    return (
        f'"id":{_json(record.id)},"state":"{view.state}","host":{_json(record.host)},"pid":{_json(record.pid)},'
        f'"started":{milliseconds(record.started)},"last_seen":{milliseconds(record.last_seen)}'
    )


def _running(task: RunningTask) -> str:
    return (
        f'{{"id":{task.id},"type":{_json(task.type)},"started":{milliseconds(task.started)},'
        f'"progress":{progress_json(task.progress)}}}'
    )
