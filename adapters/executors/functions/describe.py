"""Describe a function as the type of task that the service publishes."""

import inspect
from typing import Any

from adapters.executors.functions.discovery import CannotImport, location
from adapters.executors.functions.failures import storable
from adapters.executors.functions.function import Function
from adapters.executors.functions.result_schema import result_schema
from adapters.executors.functions.schedules import schedule
from application.json.text import dump
from domain.limits import DECLARABLE, Limits
from domain.options import OPTION_NAMES, Options
from domain.task_type import TaskType

MAX_DESCRIPTION_CHARACTERS = 20_000


def describe(function: Function) -> TaskType:
    """The type that a function serves.

    Raises CannotImport: its annotations, options or schedule cannot be published.
    """
    try:
        return TaskType(
            name=function.type,
            description=storable(inspect.getdoc(function.call) or "", MAX_DESCRIPTION_CHARACTERS).replace("\0", ""),
            schema=dump(function.arguments.schema()),
            result_schema=result_schema(function.call),
            options=_options(function),
            retries_timeout=_retries_timeout(function),
            schedule=schedule(function),
            limits=_limits(function),
        )
    except Exception as error:
        raise CannotImport(f"{function.type} ({location(function)}) cannot be a task: {error}") from error


def _options(function: Function) -> Options:
    given: dict[str, Any] = {name: getattr(function.options, name) for name in OPTION_NAMES}
    return Options(**{name: value for name, value in given.items() if value is not None})


def _limits(function: Function) -> Limits:
    limits = Limits(**{name: getattr(function.options, name) for name in DECLARABLE})
    if limits.lane is not None and not _takes(function, limits.lane):
        raise ValueError(f"lane is {limits.lane!r}: it must be the name of an argument of the function")
    return limits


def _takes(function: Function, argument: str) -> bool:
    """Whether a task may have an argument of this name, by the schema of the function."""
    schema = function.arguments.schema()
    return argument in schema.get("properties", {}) or schema.get("additionalProperties", True) is not False


def _retries_timeout(function: Function) -> bool:
    classes = function.options.retry_on
    return classes is None or issubclass(TimeoutError, classes)
