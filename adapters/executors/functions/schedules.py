"""The schedule of a recurring function, checked before it is published."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from adapters.executors.functions.checker import InvalidArguments
from adapters.executors.functions.function import Function
from domain.schedule import Schedule
from flask_tasks import Progress


def schedule(function: Function) -> Schedule | None:
    """The schedule of a function; None where it does not recur.

    Raises ValueError: the function cannot recur like this; the message says why.
    """
    if function.options.every is None:
        return None
    schedule = Schedule(every=" ".join(function.options.every.split()), timezone=function.options.timezone or "UTC")
    _check_ticks(schedule)
    _check_arguments(function)
    return schedule


def _check_ticks(schedule: Schedule) -> None:
    # Imported here because only recurring functions need them.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from cronsim import CronSim, CronSimError

    try:
        zone = ZoneInfo(schedule.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"timezone is {schedule.timezone!r}: there is no such time zone") from error
    try:
        next(CronSim(schedule.every, datetime.now(UTC).astimezone(zone)))
    except (CronSimError, ValueError) as error:
        raise ValueError(f"every is {schedule.every!r}: {str(error).lower()}") from error
    except StopIteration:
        raise ValueError(f"every is {schedule.every!r}: it never comes") from None
    _check_steps(schedule.every)


def _check_steps(every: str) -> None:
    """Check that no step goes beyond its range. Raises ValueError: one does, and means something else than it says."""
    from cronsim.cronsim import Field

    for field, parts in zip(Field, f"0 {every.upper()}".split(), strict=True):
        for part in parts.split(","):
            term, _, step = part.partition("/")
            if step and int(step) > (values := _values(field, field.parse(term))):
                raise ValueError(f"every is {every!r}: the step of {part} is larger than its range of {values} values")


def _values(field: Any, range: Collection[Any]) -> int:
    """The number of values that a step goes over. A number alone begins a range; `L` is the end of one."""
    from cronsim.cronsim import RANGES

    if len(range) == 1:
        (first,) = range
        return RANGES[field].stop - first if first >= 0 else 1
    return len({value % 7 for value in range} if field is field.DOW else range)


def _check_arguments(function: Function) -> None:
    try:
        function.arguments.bind("{}", Progress())
    except InvalidArguments as error:
        raise ValueError(f"a recurring function is called without arguments: {error}") from error
