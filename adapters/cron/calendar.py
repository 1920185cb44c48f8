"""The calendar by cronsim, which follows Debian's cron, changes of the clocks included."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from application.errors import InvalidSchedule
from domain.schedule import Schedule


class CronCalendar:
    """Implements application.ports.calendar.Calendar."""

    def next_after(self, schedule: Schedule, moment: datetime) -> datetime:
        try:
            ticks = CronSim(schedule.every, moment.astimezone(_zone(schedule.timezone)))
            # In the second of two equal hours cronsim begins again with the first one, whose ticks are over.
            return next(tick for each in ticks if (tick := each.astimezone(UTC)) > moment)
        except (CronSimError, ValueError) as error:
            raise InvalidSchedule(schedule.every, schedule.timezone, str(error).lower()) from error
        except StopIteration:
            raise InvalidSchedule(schedule.every, schedule.timezone, "it never comes") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: the name of a folder of zones
        raise ValueError("there is no such time zone") from error
