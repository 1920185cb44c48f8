"""Parsing of all that a child reports. It is untrusted: a function may have written it, or damaged its process.

Each value is checked for its type and its range. A frame that fails the check is a BrokenReport, never another error.
"""

import json
from collections.abc import Callable
from math import isfinite
from struct import Struct
from typing import Any, NamedTuple, TypeVar

from adapters.executors.process.ipc.frames import BrokenReport, Frame, Kind
from adapters.executors.process.ipc.log import Printed
from application.ports.executor import Span
from domain.failure import Failure
from domain.ids import TypeName
from domain.limits import DECLARABLE, Limits
from domain.options import Options
from domain.schedule import Schedule
from domain.task_type import TaskType

Parsed = TypeVar("Parsed")

MAX_DELAY_SECONDS = 10 * 365 * 86_400
MAX_CHECKED_RESULT_BYTES = 64 * 1024
"""Bytes of a result whose JSON is parsed. To parse a longer one would hold the supervisor up."""
SPAN = Struct("!df")
PRINTED = Struct("!Q?")


class Outcome(NamedTuple):
    """The end of a function: when it went on, and the JSON text of its result or its failure."""

    span: Span
    outcome: str | Failure


def parse_text(frame: Frame) -> str:
    """A sentence of the child. Raises BrokenReport: it is no text."""
    return _checked(frame, lambda payload: payload.decode())


def parse_types(frame: Frame) -> list[TaskType]:
    """The types that can be run. Raises BrokenReport: they are no types."""
    return _checked(frame, lambda payload: [_type(_fields(each)) for each in _is(json.loads(payload), list)])


def parse_log(frame: Frame) -> Printed:
    """The end of the output of a run. Raises BrokenReport: it is none."""

    def printed(payload: bytes) -> Printed:
        end, is_whole = PRINTED.unpack_from(payload)
        return Printed(end, is_whole, payload[PRINTED.size :])

    return _checked(frame, printed)


def parse_outcome(frame: Frame) -> Outcome:
    """The outcome of a run. Raises BrokenReport: it is none."""
    return _checked(frame, _success if frame.kind is Kind.SUCCEEDED else _failure)


def _checked(frame: Frame, parse: Callable[[bytes], Parsed]) -> Parsed:
    try:
        return parse(frame.payload)
    except Exception as error:  # RecursionError and InvalidOption among others
        raise BrokenReport(f"its process sent a frame without meaning: {frame.kind.name}: {error!s:.200}") from error


def _success(payload: bytes) -> Outcome:
    span, text = _span(payload), payload[SPAN.size :].decode()
    if len(text) <= MAX_CHECKED_RESULT_BYTES:
        _check_json(text)
    elif "\0" in text:
        raise ValueError("a NUL")
    return Outcome(span, text)


def _check_json(text: str) -> None:
    _, end = _RESULTS.raw_decode(text)
    if end != len(text):
        raise ValueError("something behind the JSON")


def _failure(payload: bytes) -> Outcome:
    fields = _fields(json.loads(payload[SPAN.size :]))
    delay, traceback = fields.pop("delay"), fields.pop("traceback")
    return Outcome(
        _span(payload),
        Failure(
            type=_text(fields.pop("type")),
            message=_text(fields.pop("message")),
            retriable=_is(fields.pop("retriable"), bool),
            delay=None if delay is None else _number(delay, MAX_DELAY_SECONDS),
            traceback=None if traceback is None else _text(traceback),
            unfit=_is(fields.pop("unfit"), bool),
        ),
    )


def _span(payload: bytes) -> Span:
    began, seconds = SPAN.unpack_from(payload)
    if not (isfinite(began) and isfinite(seconds) and seconds >= 0):
        raise ValueError(f"a span from {began} of {seconds} s")
    return Span(began, seconds)


def _type(fields: dict[str, Any]) -> TaskType:
    schedule, options = fields.pop("schedule"), _fields(fields.pop("options"))
    limits = _fields(fields.pop("limits"))
    result_schema = fields.pop("result_schema")
    return TaskType(
        name=TypeName(_text(fields.pop("name"))),
        description=_text(fields.pop("description")),
        schema=_schema(fields.pop("schema")),
        result_schema=None if result_schema is None else _schema(result_schema),
        options=_options(options),
        retries_timeout=_is(fields.pop("retries_timeout"), bool),
        schedule=schedule and Schedule(**{name: _text(value) for name, value in _fields(schedule).items()}),
        limits=Limits(**{name: limits[name] for name in DECLARABLE}),
    )


def _schema(text: Any) -> str:
    _is(json.loads(text), dict)
    return _text(text)


def _options(fields: dict[str, Any]) -> Options:
    timeout, callback = fields.pop("timeout"), fields.pop("callback")
    whole = {name: _is(value, int) for name, value in fields.items()}
    return Options(
        timeout=None if timeout is None else _number(timeout, MAX_DELAY_SECONDS),
        callback=None if callback is None else _text(callback),
        **whole,
    )


def _fields(value: Any) -> dict[str, Any]:
    return dict(_is(value, dict))


def _is(value: Any, kind: type) -> Any:
    if type(value) is not kind:  # a bool is no whole number here
        raise TypeError(f"a {type(value).__name__} instead of a {kind.__name__}")
    return value


def _text(value: Any) -> str:
    """A text that can be stored. Raises UnicodeEncodeError: it has a lone surrogate."""
    _is(value, str).encode()
    return str(value)


def _number(value: Any, maximum: float) -> float:
    if type(value) not in (int, float) or not 0 <= value <= maximum:
        raise ValueError(f"{value!r:.100} is no number from 0 to {maximum}")
    return value  # type: ignore[no-any-return]


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_RESULTS = json.JSONDecoder(parse_constant=_refuse)
"""Made once, as making it takes longer than parsing a short result."""
