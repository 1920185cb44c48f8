"""The form of a log line: time, level, process and sentence, then keys and values, as text or as JSON.

No line has the message of an exception, which may hold arguments, results or secrets: a stack has places and types.
"""

import json
import logging
import traceback
from collections.abc import Iterator, MutableMapping
from datetime import datetime
from typing import Any

from application.log_lines import KEYS, KEYS_OF_RECORD, one_line
from entrypoints.hidden_packages import hidden
from entrypoints.settings import LogForm

# Its console, which is not used here, would take 80 ms of the start of each process.
with hidden("rich"):
    from structlog.processors import JSONRenderer
    from structlog.stdlib import ProcessorFormatter

MAX_MESSAGE_CHARACTERS, MAX_STACK_CHARACTERS = 4_000, 20_000
"""A line is far shorter than what a LogStream cuts off, so that its JSON is whole."""
DETAILS = "pgcode", "strerror"
"""Attributes of exceptions that tell more than their type, and hold no data: an SQLSTATE, an error of the system."""

Event = MutableMapping[str, Any]


def formatter(process: str, form: LogForm) -> logging.Formatter:
    """The formatter of a process's log."""

    def add_fields(_: Any, __: str, event: Event) -> Event:
        """Replace structlog's event dictionary by the fields of the line, in their order."""
        record: logging.LogRecord = event["_record"]
        keys = getattr(record, KEYS_OF_RECORD, {})
        error = event.get("exc_info")
        fields = {
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": process,
            "message": one_line(event["event"], MAX_MESSAGE_CHARACTERS),
            **{name: keys[name] for name in KEYS if name in keys},
            **keys,
        }
        return fields | {"stack": stack(error[1])} if error and error[1] else fields

    return ProcessorFormatter(processors=[add_fields, RENDERERS[form]])


def stack(error: BaseException) -> str:
    """The places and types of an error and of those behind it, the first one first."""
    return "".join(_parts(error, set()))[-MAX_STACK_CHARACTERS:]


def _parts(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if behind and id(behind) not in seen:
        yield from _parts(behind, seen)
        yield "which led to:\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{_name(type(error))}{_details(error)}\n"


def _name(kind: type[BaseException]) -> str:
    return one_line(kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}")


def _details(error: BaseException) -> str:
    found = [value for name in DETAILS if isinstance(value := getattr(error, name, None), str)]
    return f" ({', '.join(map(one_line, found))})" if found else ""


def _text(_: Any, __: str, event: Event) -> str:
    """A sentence with the keys behind it, and the stack in lines of its own."""
    time, level, process, message = (event.pop(name) for name in ("time", "level", "process", "message"))
    stack = event.pop("stack", "")
    keys = "".join(f" {name}={one_line(str(value))}" for name, value in event.items())
    line = f"{time} {process} {level.upper()} {message}" + (f" {keys}" if keys else "")
    return f"{line}\n{stack}".rstrip("\n")


# All of ASCII: escapes of an encoding that lacks a character would be no JSON.
RENDERERS: dict[LogForm, Any] = {LogForm.TEXT: _text, LogForm.JSON: JSONRenderer(json.dumps, ensure_ascii=True)}
