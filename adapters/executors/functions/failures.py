"""What a function raised, as a failure that can be stored."""

import traceback
from types import TracebackType

from domain.failure import Failure
from flask_tasks import Discard, Retry
from flask_tasks.decorator import TaskOptions

MAX_MESSAGE_CHARACTERS = 2_000
MAX_TRACEBACK_CHARACTERS = 32_768
_NAME = type.__dict__["__name__"].__get__
"""The name that a class was given, whatever its own class makes of the question."""
OUR_MODULES = ("adapters.executors", "asyncio")
"""Modules whose frames stand between a child and the user's function."""


def of_exception(error: BaseException, options: TaskOptions) -> Failure:
    """What it says, where it was raised, and whether another start may help."""
    return Failure(
        type=storable(_NAME(type(error)), 200),
        message=storable(_message(error), MAX_MESSAGE_CHARACTERS),
        retriable=_is_retriable(error, options),
        delay=error.delay if isinstance(error, Retry) else None,
        traceback=_traceback(error),
    )


def crashed(how: str) -> Failure:
    """The process that ran the function died."""
    return Failure("Crashed", storable(how, MAX_MESSAGE_CHARACTERS))


def out_of_memory(how: str) -> Failure:
    """The process that ran the function was ended because of the memory that it took, or that others left it."""
    return Failure("OutOfMemory", storable(how, MAX_MESSAGE_CHARACTERS))


def unknown(type: str) -> Failure:
    """Nobody has described it, or it has gone since."""
    return Failure("UnknownType", storable(f"no function serves the type {type}", MAX_MESSAGE_CHARACTERS), unfit=True)


def unfit(why: str) -> Failure:
    """The arguments do not fit the function: they never will, here."""
    return Failure("InvalidArguments", storable(why, MAX_MESSAGE_CHARACTERS), retriable=False, unfit=True)


def unformed(why: str) -> Failure:
    """The result has no JSON form."""
    return Failure(
        "InvalidResult", storable(f"the result cannot be kept: {why}", MAX_MESSAGE_CHARACTERS), retriable=False
    )


def storable(text: str, longest: int) -> str:
    """The text without what UTF-8 has no form for, cut to so many characters."""
    whole = text[: longest + 1].encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= longest else f"{whole[: longest - 1]}…"


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
        lines = traceback.format_exception(type(error), error, _from_the_user(error.__traceback__))
        whole = "".join(lines).encode("utf-8", "backslashreplace").decode()
    except BaseException:
        return None
    return whole if len(whole) <= MAX_TRACEBACK_CHARACTERS else f"…{whole[1 - MAX_TRACEBACK_CHARACTERS :]}"


def _from_the_user(frames: TracebackType | None) -> TracebackType | None:
    while frames and str(frames.tb_frame.f_globals.get("__name__")).startswith(OUR_MODULES):
        frames = frames.tb_next
    return frames
