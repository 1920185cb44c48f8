"""Describe a function as the type of task that the service publishes."""

import inspect
from typing import Any

from adapters.executors.functions.discovery import CannotImport, location
from adapters.executors.functions.failures import storable
from adapters.executors.functions.function import Function
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
            options=_options(function),
            retries_timeout=_retries_timeout(function),
            schedule=schedule(function),
            limits=Limits(**{name: getattr(function.options, name) for name in DECLARABLE}),
        )
    except Exception as error:
        raise CannotImport(f"{function.type} ({location(function)}) cannot be a task: {error}") from error


def _options(function: Function) -> Options:
    given: dict[str, Any] = {name: getattr(function.options, name) for name in OPTION_NAMES}
    return Options(**{name: value for name, value in given.items() if value is not None})


def _retries_timeout(function: Function) -> bool:
    classes = function.options.retry_on
    return classes is None or issubclass(TimeoutError, classes)
