"""Formats of numbers, times and durations in pages."""

from datetime import UTC, datetime

from markupsafe import Markup

MINUTE_SECONDS, HOUR_SECONDS, DAY_SECONDS = 60, 3_600, 86_400


def number(value: int) -> str:
    """Format a whole number with thin spaces between thousands, as in 1 234 567."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def duration(seconds: float | None) -> str:
    """Format a duration with two or three digits that matter, as in 1.25 s, 340 ms or 2 h 5 min."""
    if seconds is None:
        return "–"
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.3g} ms"
    if seconds < MINUTE_SECONDS:
        return f"{seconds:.3g} s"
    if seconds < HOUR_SECONDS:
        return _two_units(seconds, MINUTE_SECONDS, "min", 1, "s")
    if seconds < DAY_SECONDS:
        return _two_units(seconds, HOUR_SECONDS, "h", MINUTE_SECONDS, "min")
    return _two_units(seconds, DAY_SECONDS, "d", HOUR_SECONDS, "h")


def moment(time: datetime | None) -> str | Markup:
    """Format a time in UTC. A script of the page shows it in the zone of the reader."""
    if time is None:
        return "–"
    utc = time.astimezone(UTC)
    exact = f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"), exact, f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    )


def _two_units(seconds: float, large: int, large_name: str, small: int, small_name: str) -> str:
    units, rest = divmod(round(seconds / small), large // small)
    return f"{units} {large_name}" + (f" {rest} {small_name}" if rest else "")
