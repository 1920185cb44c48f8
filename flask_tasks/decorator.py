"""The decorator `@task`: marks a function as a type of task, with its options, and leaves the function unchanged."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeVar, overload

Function = TypeVar("Function", bound=Callable[..., Any])
Exceptions = type[BaseException] | tuple[type[BaseException], ...]

MARK = "__flask_task__"
_NAME = re.compile(r"[\w.-]{1,100}")
_MAX_TIMEOUT_SECONDS = 10 * 365 * 86_400
_MAX_STARTS = 10_000
_MAX_AT_ONCE = 1_000_000
_MAX_LANE_CHARACTERS = 200
_MAX_BURST = 1_000_000
_MIN_PER_SECOND, _MAX_PER_SECOND = 1e-6, 1e5
_MAX_ADDRESS_CHARACTERS = 2_000
_HOST = r"(?:[\w-]+\.)*[\w-]+\.?|\[[0-9a-f:.]+\]"
_ADDRESS = re.compile(rf'https?://(?:{_HOST})(?::(?P<port>\d{{1,5}}))?(?:[/?][!"$-~]*)?', re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Options of the tasks of a function. With None the service chooses."""

    name: str | None = None
    timeout: float | None = None
    max_attempts: int | None = None
    max_losses: int | None = None
    priority: int | None = None
    retry_on: tuple[type[BaseException], ...] | None = None
    every: str | None = None
    timezone: str | None = None
    callback: str | None = None
    at_once: int | None = None
    per_second: float | None = None
    burst: int | None = None
    lane: str | None = None
    at_once_per_lane: int | None = None

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_timeout(self.timeout)
        _check_whole("max_attempts", self.max_attempts, 1, _MAX_STARTS)
        _check_whole("max_losses", self.max_losses, 0, _MAX_STARTS)
        _check_whole("priority", self.priority, -100, 100)
        _check_exceptions(self.retry_on)
        _check_schedule(self.every, self.timezone)
        _check_address(self.callback)
        _check_whole("at_once", self.at_once, 0, _MAX_AT_ONCE)
        _check_rate(self.per_second, self.burst)
        _check_lane(self.lane, self.at_once_per_lane)


@overload
def task(function: Function, /) -> Function: ...
@overload
def task(
    *,
    name: str | None = None,
    timeout: float | None = None,
    max_attempts: int | None = None,
    max_losses: int | None = None,
    priority: int | None = None,
    retry_on: Exceptions | None = None,
    every: str | None = None,
    timezone: str | None = None,
    callback: str | None = None,
    at_once: int | None = None,
    per_second: float | None = None,
    burst: int | None = None,
    lane: str | None = None,
    at_once_per_lane: int | None = None,
) -> Callable[[Function], Function]: ...
def task(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    timeout: float | None = None,
    max_attempts: int | None = None,
    max_losses: int | None = None,
    priority: int | None = None,
    retry_on: Exceptions | None = None,
    every: str | None = None,
    timezone: str | None = None,
    callback: str | None = None,
    at_once: int | None = None,
    per_second: float | None = None,
    burst: int | None = None,
    lane: str | None = None,
    at_once_per_lane: int | None = None,
) -> Any:
    """Mark a function as a type of task, as `@task` or `@task(timeout=60)`.

    - `name`: name of the type; by default the name of the function.
    - `timeout`: maximum duration of an attempt in seconds.
    - `max_attempts`: maximum number of attempts.
    - `max_losses`: maximum number of times that a task is started again after its handler was lost.
    - `priority`: from -100 to 100; tasks with a higher priority start first.
    - `retry_on`: exceptions after which a task is attempted again; by default all.
    - `every`: crontab expression with five fields; at each of its times a task without arguments is submitted.
    - `timezone`: time zone of `every`; by default UTC.
    - `callback`: address that receives a callback when a task has finished.
    - `at_once`: maximum number of tasks that run at the same time, on all handlers; 0 starts none.
    - `per_second`: maximum number of starts in a second, on all handlers, those of retries included.
    - `burst`: starts that may come together after a pause; by default a fifth of `per_second`, at least 1.
    - `lane`: name of an argument; the tasks of each of its values take turns with those of the others.
    - `at_once_per_lane`: maximum number of tasks of one lane that run at the same time.
    - Raises TypeError, ValueError: an option is not valid.
    """
    options = TaskOptions(
        name=name,
        timeout=timeout,
        max_attempts=max_attempts,
        max_losses=max_losses,
        priority=priority,
        retry_on=(retry_on,) if isinstance(retry_on, type) else retry_on,
        every=every,
        timezone=timezone,
        callback=callback,
        at_once=at_once,
        per_second=per_second,
        burst=burst,
        lane=lane,
        at_once_per_lane=at_once_per_lane,
    )
    if function is None:
        return lambda function: _mark(function, options)
    return _mark(function, options)


def _mark(function: Any, options: TaskOptions) -> Any:
    if not callable(function) or isinstance(function, type) or not hasattr(function, "__name__"):
        raise TypeError(f"@task got {function!r}: it must mark a function, and its options must be given by name")
    _check_name(options.name or function.__name__)
    setattr(function, MARK, options)
    return function


def _check_name(name: str | None) -> None:
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name is {name!r}: it must be a string")
    if name is not None and not _NAME.fullmatch(name):
        raise ValueError(f"name is {name!r}: it must be 1 to 100 letters, digits, '_', '-' and '.'")


def _check_timeout(timeout: float | None) -> None:
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout is {timeout!r}: it must be a number of seconds")
    if not (isfinite(timeout) and 0 < timeout <= _MAX_TIMEOUT_SECONDS):
        raise ValueError(
            f"timeout is {timeout!r}: it must be a number of seconds, more than 0 and at most {_MAX_TIMEOUT_SECONDS}"
        )


def _check_whole(option: str, value: int | None, minimum: int, maximum: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{option} is {value!r}: it must be a whole number")
    if not minimum <= value <= maximum:
        raise ValueError(f"{option} is {value!r}: it must be a whole number from {minimum} to {maximum}")


def _check_lane(lane: str | None, at_once_per_lane: int | None) -> None:
    _check_whole("at_once_per_lane", at_once_per_lane, 1, _MAX_AT_ONCE)
    if lane is None:
        if at_once_per_lane is not None:
            raise ValueError(f"at_once_per_lane is {at_once_per_lane!r}: it must be absent where lane is absent")
        return
    if not isinstance(lane, str):
        raise TypeError(f"lane is {lane!r}: it must be a string")
    if not 1 <= len(lane) <= _MAX_LANE_CHARACTERS:
        raise ValueError(f"lane is {lane[:100]!r}: it must be the name of an argument")


def _check_rate(per_second: float | None, burst: int | None) -> None:
    _check_whole("burst", burst, 1, _MAX_BURST)
    if per_second is None:
        if burst is not None:
            raise ValueError(f"burst is {burst!r}: it must be absent where per_second is absent")
        return
    if isinstance(per_second, bool) or not isinstance(per_second, int | float):
        raise TypeError(f"per_second is {per_second!r}: it must be a number")
    # No bound holds for nan.
    if not _MIN_PER_SECOND <= per_second <= _MAX_PER_SECOND:
        raise ValueError(
            f"per_second is {per_second!r}: it must be a number from {_MIN_PER_SECOND:g} to {_MAX_PER_SECOND:g}"
        )


def _check_exceptions(classes: tuple[type[BaseException], ...] | None) -> None:
    if classes is None:
        return
    if not isinstance(classes, tuple):
        raise TypeError(f"retry_on is {classes!r}: it must be exception classes")
    for each in classes:
        if not (isinstance(each, type) and issubclass(each, BaseException)):
            raise TypeError(f"retry_on has {each!r}: it must be exception classes")


def _check_schedule(every: str | None, timezone: str | None) -> None:
    """Check the form only: the handler checks the values of the fields and the time zone when it starts."""
    for option, value in (("every", every), ("timezone", timezone)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{option} is {value!r}: it must be a string")
    if every is not None and len(every.split()) != 5:
        raise ValueError(f"every is {every!r}: it must be five fields: minute, hour, day of month, month, day of week")
    if timezone is not None and every is None:
        raise ValueError(f"timezone is {timezone!r}: it must be absent where every is absent")


def _check_address(address: str | None) -> None:
    if address is None:
        return
    if not isinstance(address, str):
        raise TypeError(f"callback is {address!r}: it must be a string")
    found = _ADDRESS.fullmatch(address) if len(address) <= _MAX_ADDRESS_CHARACTERS else None
    if found is None or not 0 < int(found["port"] or 1) < 65_536:
        raise ValueError(f"callback is {address[:100]!r}: it must be an http or https address with a host")
