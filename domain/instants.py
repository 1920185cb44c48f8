"""Moments in time, always UTC-aware."""

from datetime import UTC, datetime, timedelta

from domain.errors import NaiveTime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 1, tzinfo=UTC)
"""Later than LATEST: the `run_at` and `expire` of a blocked task."""


def aware(moment: datetime) -> datetime:
    """The moment itself. Raises NaiveTime: it has no time zone."""
    if moment.tzinfo is None:
        raise NaiveTime(moment)
    return moment


def whole_second(moment: datetime) -> datetime:
    """The last whole second that is not after the moment."""
    return aware(moment).replace(microsecond=0)


def after(moment: datetime, seconds: float) -> datetime:
    """The moment that many seconds later, at most the year 9999."""
    try:
        later = aware(moment) + timedelta(seconds=seconds)
    except OverflowError:
        return LATEST
    return later if later < LATEST else LATEST
