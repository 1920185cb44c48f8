"""What a child reports of its functions and its runs: as bytes on its side, as events on that of the supervisor."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from struct import Struct

from adapters.executors.process.frames import Frame, Kind
from application.ports.executor import Event, Failed, Progressed, Started, Succeeded
from domain.failure import Failure
from domain.ids import Hold
from domain.options import Options
from domain.progress import Progress
from domain.task_type import TaskType

_STARTED = Struct("!d?")
_SHARE = Struct("!d")

Report = tuple[Kind, int, bytes]
"""The kind of a frame, the number of the run, and the payload."""


def started(run: int, at: float, is_attentive: bool) -> Report:
    """Its function began, and is handed a progress or not."""
    return Kind.STARTED, run, _STARTED.pack(at, is_attentive)


def progressed(run: int, value: float, message: str) -> Report:
    """Its function is so far."""
    return Kind.PROGRESSED, run, _SHARE.pack(value) + message.encode()


def ended(run: int, outcome: str | Failure) -> Report:
    """Its function returned this JSON text, or did not return."""
    if isinstance(outcome, Failure):
        return Kind.FAILED, run, json.dumps(asdict(outcome)).encode()
    return Kind.SUCCEEDED, run, outcome.encode()


def described(types: Sequence[TaskType]) -> Report:
    """These can be run."""
    return Kind.DESCRIBED, 0, json.dumps([asdict(each) for each in types]).encode()


def types_of(payload: bytes) -> list[TaskType]:
    """What was described."""
    return [TaskType(**each | {"options": Options(**each["options"])}) for each in json.loads(payload)]


def is_attentive(payload: bytes) -> bool:
    """Whether the function that started is handed a progress."""
    return bool(_STARTED.unpack(payload)[1])


def event(frame: Frame, hold: Hold) -> Event:
    """What a frame on a run says of that hold."""
    match frame.kind:
        case Kind.STARTED:
            return Started(hold, _STARTED.unpack(frame.payload)[0])
        case Kind.PROGRESSED:
            (value,) = _SHARE.unpack_from(frame.payload)
            return Progressed(hold, Progress(value, frame.payload[_SHARE.size :].decode()))
        case Kind.SUCCEEDED:
            return Succeeded(hold, frame.payload.decode())
        case Kind.FAILED:
            return Failed(hold, Failure(**json.loads(frame.payload)))
    raise AssertionError(frame.kind)
