"""The forms of dates, times, durations, UUIDs, decimals and addresses as texts in JSON, with one reader each.

The API checks arguments by these readers, and functions receive what they read.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import partial
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any
from uuid import UUID

_UUID = re.compile(r"(urn:uuid:)?(?P<brace>\{)?[\da-f]{8}-?([\da-f]{4}-?){3}[\da-f]{12}(?(brace)\})", re.A | re.I)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.A | re.I)
_FRACTION = re.compile(r"[+-]?\d+(/\d+)?", re.A)
_DURATION = re.compile(
    r"(?P<sign>[+-])?P(?=[\dT])((?P<weeks>\d+)W)?((?P<days>\d+)D)?"
    r"(T(?=\d)((?P<hours>\d+)H)?((?P<minutes>\d+)M)?((?P<seconds>\d+([.,]\d+)?)S)?)?",
    re.A | re.I,
)


def _datetime(text: str) -> datetime:
    """ISO 8601; a date alone is its midnight, and `t` and `z` may be small."""
    return datetime.fromisoformat(_with_capital_zone(text))


def _time(text: str) -> time:
    return time.fromisoformat(_with_capital_zone(text))


def _with_capital_zone(text: str) -> str:
    return f"{text[:-1]}Z" if text.endswith("z") else text


def _duration(text: str) -> timedelta:
    """ISO 8601 without years and months, which have no fixed length; seconds may have a fraction."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError
    parts = {name: _number(digits) for name, digits in found.groupdict().items() if digits and name != "sign"}
    duration = timedelta(**parts)
    return -duration if found["sign"] == "-" else duration


def _number(digits: str) -> float:
    return int(digits) if digits.isdecimal() else float(digits.replace(",", "."))


def _uuid(text: str, version: int | None = None) -> UUID:
    if not _UUID.fullmatch(text):
        raise ValueError
    found = UUID(text)
    if version not in (None, found.version):
        raise ValueError
    return found


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ValueError
    return Decimal(text)


def _fraction(text: str) -> Fraction:
    """Two integers, as `1/2`, or one."""
    if not _FRACTION.fullmatch(text):
        raise ValueError
    return Fraction(text)


READERS: dict[str, Callable[[str], Any]] = {
    "date-time": _datetime,
    "date": date.fromisoformat,
    "time": _time,
    "duration": _duration,
    "uuid": _uuid,
    **{f"uuid{version}": partial(_uuid, version=version) for version in range(1, 9)},
    "decimal": _decimal,
    "fraction": _fraction,
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "ipv4network": IPv4Network,
    "ipv6network": IPv6Network,
    "ipv4interface": IPv4Interface,
    "ipv6interface": IPv6Interface,
    "ipvanyaddress": ip_address,
    "ipvanynetwork": ip_network,
    "ipvanyinterface": ip_interface,
}
"""The readers by the name of the format in JSON Schema."""

_ERRORS = (ValueError, OverflowError, InvalidOperation, ZeroDivisionError)


def read(format: str, text: str) -> Any:
    """The value that a text of this format stands for. Raises ValueError: the text has another format."""
    try:
        return READERS[format](text)
    except _ERRORS:
        raise ValueError(f"it is not a {format}") from None


def fits(format: str, text: str) -> bool:
    """Whether a text has this format."""
    try:
        read(format, text)
    except ValueError:
        return False
    return True
