"""Reports of a child on its functions and runs: packed as frames on its side, unpacked as events by the supervisor."""

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
"""The kind of a frame, the number of its run, and its payload."""


def pack_types(types: Sequence[TaskType]) -> Report:
    """The report that these types can be run."""
    return Kind.DESCRIBED, 0, json.dumps([asdict(each) for each in types]).encode()


def pack_log(run: int, printed: Printed) -> Report:
    """The report that the run has printed this."""
    return Kind.LOG, run, _PRINTED.pack(printed.end, printed.is_whole) + printed.tail


def pack_outcome(run: int, span: Span, outcome: str | Failure) -> Report:
    """The report when the function of the run went on, and that it returned this JSON text or failed."""
    if isinstance(outcome, Failure):
        return Kind.FAILED, run, _SPAN.pack(*span) + json.dumps(asdict(outcome)).encode()
    return Kind.SUCCEEDED, run, _SPAN.pack(*span) + outcome.encode()


def unpack_types(frame: Frame) -> list[TaskType]:
    """The types that can be run."""
    return [_type(each) for each in json.loads(frame.payload)]


def unpack_log(frame: Frame) -> Printed:
    """The end of the output of the run."""
    end, is_whole = _PRINTED.unpack_from(frame.payload)
    return Printed(end, is_whole, frame.payload[_PRINTED.size :])


def unpack_outcome(frame: Frame, hold: Hold, log: str) -> Succeeded | Failed:
    """The outcome of the run as an event, with this log."""
    text = frame.payload[_SPAN.size :].decode()
    span = Span(*_SPAN.unpack_from(frame.payload))
    if frame.kind is Kind.SUCCEEDED:
        return Succeeded(hold, text, log, span)
    return Failed(hold, Failure(**json.loads(text)), log, span)


def _type(described: dict[str, Any]) -> TaskType:
    schedule = described["schedule"] and Schedule(**described["schedule"])
    return TaskType(**described | {"options": Options(**described["options"]), "schedule": schedule})
