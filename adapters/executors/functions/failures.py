"""Failures that can be stored, made of exceptions and of the deaths of processes."""

import traceback
from types import TracebackType

from domain.failure import Failure
from flask_tasks import Discard, Retry
from flask_tasks.decorator import TaskOptions
from flask_tasks.errors import check_delay

MAX_MESSAGE_CHARACTERS = 2_000
MAX_TRACEBACK_CHARACTERS = 32_768
_NAME = type.__dict__["__name__"].__get__
"""Reads the name of a class, even where its metaclass overrides `__name__`."""
OUR_MODULES = (__name__.removesuffix(".functions.failures"), "asyncio")
"""Modules whose frames stand between a child and the user's function."""


def of_exception(error: BaseException, options: TaskOptions) -> Failure:
    """The failure of a function that raised: its message and traceback, and whether it may be tried again."""
    try:
        delay = check_delay(error.delay) if isinstance(error, Retry) and error.delay is not None else None
    except Exception as wrong:  # the function has set it after the exception was made
        return Failure(type="Retry", message=storable(_message(wrong), MAX_MESSAGE_CHARACTERS), retriable=False)
    return Failure(
        type=storable(_NAME(type(error)), 200),
        message=storable(_message(error), MAX_MESSAGE_CHARACTERS),
        retriable=_is_retriable(error, options),
        delay=delay,
        traceback=_traceback(error),
    )


def crashed(how: str) -> Failure:
    """The failure of a function whose process died."""
    return Failure("Crashed", storable(how, MAX_MESSAGE_CHARACTERS))


def out_of_memory(how: str) -> Failure:
    """The failure of a function whose process was ended for its use of memory, or for lack of memory."""
    return Failure("OutOfMemory", storable(how, MAX_MESSAGE_CHARACTERS))


def unknown_type(type: str) -> Failure:
    """The failure of a task whose type no function of this handler serves."""
    return Failure("UnknownType", storable(f"no function serves the type {type}", MAX_MESSAGE_CHARACTERS), unfit=True)


def invalid_arguments(why: str) -> Failure:
    """The failure of a task whose arguments do not fit the function: not retriable, they never will fit it."""
    return Failure("InvalidArguments", storable(why, MAX_MESSAGE_CHARACTERS), retriable=False, unfit=True)


def invalid_result(why: str) -> Failure:
    """The failure of a function whose result has no JSON form."""
    return Failure(
        "InvalidResult", storable(f"the result cannot be kept: {why}", MAX_MESSAGE_CHARACTERS), retriable=False
    )


def storable(text: str, max_characters: int) -> str:
    """The text with lone surrogates escaped, cut to so many characters."""
    encodable = text[: max_characters + 1].encode("utf-8", "backslashreplace").decode()
    return encodable if len(encodable) <= max_characters else f"{encodable[: max_characters - 1]}…"


def _is_retriable(error: BaseException, options: TaskOptions) -> bool:
    if isinstance(error, Retry | Discard):
        return isinstance(error, Retry)
    return options.retry_on is None or isinstance(error, options.retry_on)


def _message(error: BaseException) -> str:
    try:
        return f"sys.exit({error.code!r})" if isinstance(error, SystemExit) else str(error)
    except BaseException as another:
        return f"its message cannot be shown: {type(another).__name__}"


def _traceback(error: BaseException) -> str | None:
    try:
        lines = traceback.format_exception(type(error), error, _user_frames(error.__traceback__))
        text = "".join(lines).encode("utf-8", "backslashreplace").decode()
    except BaseException:
        return None
    return text if len(text) <= MAX_TRACEBACK_CHARACTERS else f"…{text[1 - MAX_TRACEBACK_CHARACTERS :]}"


def _user_frames(frames: TracebackType | None) -> TracebackType | None:
    while frames and str(frames.tb_frame.f_globals.get("__name__")).startswith(OUR_MODULES):
        frames = frames.tb_next
    return frames
