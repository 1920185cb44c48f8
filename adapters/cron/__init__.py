"""The calendar by the rules of a crontab."""

from adapters.cron.calendar import CronCalendar

__all__ = ["CronCalendar"]
