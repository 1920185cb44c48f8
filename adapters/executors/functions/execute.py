"""Run a function for a task: from the text of its arguments to the text of its result."""

import sys
from contextvars import copy_context
from types import CoroutineType
from typing import Any

from adapters.executors.functions import failures, results
from adapters.executors.functions.checker import InvalidArguments
from adapters.executors.functions.function import Function
from application.json.limits import MAX_INTEGER_DIGITS
from domain.failure import Failure
from flask_tasks import Progress
from flask_tasks.json_form import NoForm


def execute(function: Function, args: str, progress: Progress) -> str | Failure:
    """The result as JSON text, or the failure. Never raises."""
    try:
        positional, named = function.arguments.bind(args, progress)
        value = _call_apart(function, positional, named)
        sys.set_int_max_str_digits(MAX_INTEGER_DIGITS)  # the function may have changed it
        return results.encode(value)
    except InvalidArguments as error:
        return failures.invalid_arguments(str(error))
    except NoForm as error:
        return failures.invalid_result(str(error))
    except BaseException as error:
        return failures.of_exception(error, function.options)


def _call_apart(function: Function, positional: list[Any], named: dict[str, Any]) -> Any:
    """Call the function with context variables of its own."""
    context = copy_context()
    # Among the variables may be the context of `decimal`, an object that the copy shares.
    if context and (decimal := sys.modules.get("decimal")):
        context.run(lambda: decimal.setcontext(decimal.getcontext().copy()))
    return context.run(_call, function, positional, named)


def _call(function: Function, positional: list[Any], named: dict[str, Any]) -> Any:
    value = function.call(*positional, **named)
    if isinstance(value, CoroutineType):
        import asyncio

        return asyncio.run(value)
    return value
