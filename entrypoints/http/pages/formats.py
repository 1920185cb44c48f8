"""Formats of numbers, times and durations in pages."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from markupsafe import Markup

AGE = Markup('<time datetime="{iso}" title="{exact}" data-age="{words}">{shown}</time>')
MAX_CACHED_TIMES = 5_000
"""Times that are formatted once: a live list shows the same ones again and again."""
MIN_PERCENT, MIN_WHOLE_PERCENT = 0.01, 9.95
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


@lru_cache(maxsize=MAX_CACHED_TIMES)
def moment(time: datetime | None) -> str | Markup:
    """Format a time in UTC. A script of the page shows it in the zone of the reader."""
    if time is None:
        return "–"
    utc = time.astimezone(UTC).replace(tzinfo=None)
    iso, shown = utc.isoformat(timespec="milliseconds"), utc.isoformat(" ", "seconds")
    # A time has no character to escape. Markup.format would take longer than the rest of a row.
    return Markup(f'<time datetime="{iso}Z" title="{iso.replace("T", " ")} UTC">{shown} UTC</time>')


def age(time: datetime | None, before: str = "", words: str = "%") -> str | Markup:
    """Format a time in UTC, behind the text `before`. A script shows `words` instead, with the time since for the %."""
    if time is None:
        return "–"
    shown = f"{before}{time.astimezone(UTC):%H:%M:%S} UTC"
    return AGE.format(iso=_iso(time), exact=_exact(time), words=words, shown=shown)


def labels(text: str | None) -> Mapping[str, str]:
    """Read the labels of a task; none from None."""
    found: dict[str, str] = json.loads(text) if text else {}
    return found


def percent(share: float) -> str:
    """Format a share with two digits that matter, as in 0.25 % or 12 %. Only the whole is 100 %, and only none is 0."""
    hundredths = share * 100
    if 0 < hundredths < MIN_PERCENT:
        return f"< {MIN_PERCENT} %"
    if hundredths < MIN_WHOLE_PERCENT:
        return f"{hundredths:.2g} %"
    return f"{round(hundredths) if share >= 1 else min(round(hundredths), 99)} %"


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _exact(time: datetime) -> str:
    utc = time.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03} UTC"


def _two_units(seconds: float, large: int, large_name: str, small: int, small_name: str) -> str:
    units, rest = divmod(round(seconds / small), large // small)
    return f"{units} {large_name}" + (f" {rest} {small_name}" if rest else "")
