"""What a child reports of its functions and its runs: as bytes on its side, as events on that of the supervisor."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from struct import Struct
from typing import Any

from adapters.executors.process.frames import Frame, Kind
from adapters.executors.process.log import Printed
from application.ports.executor import Failed, Started, Succeeded
from domain.failure import Failure
from domain.ids import Hold
from domain.options import Options
from domain.schedule import Schedule
from domain.task_type import TaskType

_STARTED = Struct("!d?")
_SECONDS = Struct("!f")
_PRINTED = Struct("!Q?")

Report = tuple[Kind, int, bytes]
"""The kind of a frame, the number of the run, and the payload."""


def describing(types: Sequence[TaskType]) -> Report:
    """These can be run."""
    return Kind.DESCRIBED, 0, json.dumps([asdict(each) for each in types]).encode()


def starting(run: int, at: float, is_attentive: bool) -> Report:
    """Its function begins, and is handed a progress or not."""
    return Kind.STARTED, run, _STARTED.pack(at, is_attentive)


def printing(run: int, printed: Printed) -> Report:
    """It has printed that."""
    return Kind.LOG, run, _PRINTED.pack(printed.end, printed.is_whole) + printed.tail


def ending(run: int, seconds: float, outcome: str | Failure) -> Report:
    """Its function took so long, and returned this JSON text or failed."""
    if isinstance(outcome, Failure):
        return Kind.FAILED, run, _SECONDS.pack(seconds) + json.dumps(asdict(outcome)).encode()
    return Kind.SUCCEEDED, run, _SECONDS.pack(seconds) + outcome.encode()


def types(frame: Frame) -> list[TaskType]:
    """What was described."""
    return [_type(each) for each in json.loads(frame.payload)]


def started(frame: Frame, hold: Hold) -> Started:
    """When the function began."""
    return Started(hold, _STARTED.unpack(frame.payload)[0])


def is_attentive(frame: Frame) -> bool:
    """Whether the function that began is handed a progress."""
    return bool(_STARTED.unpack(frame.payload)[1])


def printed(frame: Frame) -> Printed:
    """The last that the function has printed."""
    end, is_whole = _PRINTED.unpack_from(frame.payload)
    return Printed(end, is_whole, frame.payload[_PRINTED.size :])


def ended(frame: Frame, hold: Hold, log: str) -> Succeeded | Failed:
    """What became of the function, with what it has printed."""
    text = frame.payload[_SECONDS.size :].decode()
    (seconds,) = _SECONDS.unpack_from(frame.payload)
    if frame.kind is Kind.SUCCEEDED:
        return Succeeded(hold, text, log, seconds)
    return Failed(hold, Failure(**json.loads(text)), log, seconds)


def _type(described: dict[str, Any]) -> TaskType:
    schedule = described["schedule"] and Schedule(**described["schedule"])
    return TaskType(**described | {"options": Options(**described["options"]), "schedule": schedule})
