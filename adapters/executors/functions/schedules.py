"""The schedule of a recurring function, checked before it is published."""

from datetime import UTC, datetime

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


def _check_arguments(function: Function) -> None:
    try:
        function.arguments.bind("{}", Progress())
    except InvalidArguments as error:
        raise ValueError(f"a recurring function is called without arguments: {error}") from error
