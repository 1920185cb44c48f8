"""The formats of strings, checked by the parsers of the standard library that read them for the function."""

from collections.abc import Callable
from datetime import date, datetime, time
from uuid import UUID


def _read_by(read: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return fits


FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _read_by(datetime.fromisoformat),
    "date": _read_by(date.fromisoformat),
    "time": _read_by(time.fromisoformat),
    "uuid": _read_by(UUID),
}
"""The formats by name. Those of RFC 3339 would be stricter: they require a time zone, which a function may not."""
