"""What a child reports of its functions and its runs: as bytes on its side, as events on that of the supervisor."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from struct import Struct
from typing import Any

from adapters.executors.process.ipc.frames import Frame, Kind
from adapters.executors.process.ipc.log import Printed
from application.ports.executor import Failed, Span, Succeeded
from domain.failure import Failure
from domain.ids import Hold
from domain.options import Options
from domain.schedule import Schedule
from domain.task_type import TaskType

_SPAN = Struct("!df")
_PRINTED = Struct("!Q?")

Report = tuple[Kind, int, bytes]
"""The kind of a frame, the number of the run, and the payload."""


def describing(types: Sequence[TaskType]) -> Report:
    """These can be run."""
    return Kind.DESCRIBED, 0, json.dumps([asdict(each) for each in types]).encode()


def printing(run: int, printed: Printed) -> Report:
    """It has printed that."""
    return Kind.LOG, run, _PRINTED.pack(printed.end, printed.is_whole) + printed.tail


def ending(run: int, span: Span, outcome: str | Failure) -> Report:
    """Its function went on then, and returned this JSON text or failed."""
    if isinstance(outcome, Failure):
        return Kind.FAILED, run, _SPAN.pack(*span) + json.dumps(asdict(outcome)).encode()
    return Kind.SUCCEEDED, run, _SPAN.pack(*span) + outcome.encode()


def types(frame: Frame) -> list[TaskType]:
    """What was described."""
    return [_type(each) for each in json.loads(frame.payload)]


def printed(frame: Frame) -> Printed:
    """The last that the function has printed."""
    end, is_whole = _PRINTED.unpack_from(frame.payload)
    return Printed(end, is_whole, frame.payload[_PRINTED.size :])


def ended(frame: Frame, hold: Hold, log: str) -> Succeeded | Failed:
    """What became of the function, with what it has printed."""
    text = frame.payload[_SPAN.size :].decode()
    span = Span(*_SPAN.unpack_from(frame.payload))
    if frame.kind is Kind.SUCCEEDED:
        return Succeeded(hold, text, log, span)
    return Failed(hold, Failure(**json.loads(text)), log, span)


def _type(described: dict[str, Any]) -> TaskType:
    schedule = described["schedule"] and Schedule(**described["schedule"])
    return TaskType(**described | {"options": Options(**described["options"]), "schedule": schedule})
