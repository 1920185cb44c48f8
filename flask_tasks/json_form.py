"""The forms of Python values in JSON: one list for the results of functions, for arguments, and for the client.

The table of them is in docs/functions.md. An error names the path of the member that has no form.
"""

import json
import re
import sys
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite, nan
from os import PathLike, fsdecode
from typing import Any, cast
from uuid import UUID

MAX_DEPTH = 200
MAX_INTEGER_DIGITS = 4_300
MAX_MEMBERS = 16 * 1024 * 1024
"""Members that a value may have in all: more than fit into any request or result."""

_TOO_LARGE = 10**MAX_INTEGER_DIGITS
_SURROGATE = re.compile("[\ud800-\udfff]")
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_SCALARS = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = frozenset({dict, list, tuple})
_STRINGS = frozenset({str})

Path = tuple[Any, ...]


class NoForm(Exception):
    """JSON has no form for a member of a value; the message names its path, as in `$.a.0 is a set`."""

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = format_path(path), why
        super().__init__(f"{self.path} {why}")


def encode(value: object, max_depth: int = MAX_DEPTH) -> tuple[str, Collection[Path]]:
    """The value as compact JSON text, and the paths of the missing values for which null stands.

    Raises NoForm: a member has no form in JSON, or the value is too large or nested too deep.
    """
    text = encode_plain(value, max_depth)
    return (text, ()) if text is not None else encode_converted(value, max_depth)


def encode_converted(value: object, max_depth: int = MAX_DEPTH) -> tuple[str, Collection[Path]]:
    """What `encode` answers for a value that is not plain."""
    conversion = JsonForm(max_depth)
    return _ENCODER.encode(conversion.form(value)), conversion.nulls


def nulls_sentence(nulls: Collection[Path], where: str) -> str:
    """The sentence that tells of missing values."""
    paths = ", ".join(format_path(path) for path, _ in zip(nulls, range(5), strict=False))
    return f"null stands for NaN, infinity or another missing value in {where} at {paths}"


def encode_plain(value: object, max_depth: int = MAX_DEPTH) -> str | None:
    """Encode at the speed of C a value that is made of JSON values alone; None for any other."""
    if type(value) not in _SCALARS and not _is_plain(value, max_depth, _Allowance()):
        return None
    try:
        text = _ENCODER.encode(value)
        text.encode()
    except ValueError:  # NaN, an integer of too many digits, a lone surrogate
        return None
    return text


def _is_plain(container: object, depth: int, allowance: "_Allowance") -> bool:
    if depth == 0 or type(container) not in _CONTAINERS:
        return False
    members = cast(Collection[object], container)
    allowance.take(len(members))
    if isinstance(container, dict):
        if not {*map(type, container)} <= _STRINGS:
            return False
        members = container.values()
    if {*map(type, members)} <= _SCALARS:
        return True
    return all(type(each) in _SCALARS or _is_plain(each, depth - 1, allowance) for each in members)


class _Allowance:
    """The members that one value may still have.

    A small value that contains itself many times over would otherwise take forever to convert.
    """

    def __init__(self) -> None:
        self._left = MAX_MEMBERS

    def take(self, members: int) -> None:
        """Count further members. NoForm if these are too many."""
        self._left -= members
        if self._left < 0:
            raise NoForm((), f"is longer than {MAX_MEMBERS:,} members")


class JsonForm:
    """One conversion. `nulls` collects the paths of missing values, NaN and infinities, which become null."""

    def __init__(self, max_depth: int = MAX_DEPTH) -> None:
        self.nulls: list[Path] = []
        self._max_depth = max_depth
        self._allowance = _Allowance()

    def form(self, value: Any, path: Path = ()) -> Any:
        """The value at that path, made of JSON values alone. NoForm where that is impossible."""
        match value:
            case None | bool():
                return value
            case Enum():
                return self.form(value.value, path)
            case str():
                return _string(value, path)
            case int():
                return _integer(value, path)
            case float() | Decimal():
                return self._number(value, path)
            case datetime() | date() | time():
                # pandas.NaT is a datetime, and does not equal itself.
                return value.isoformat() if value == value else self._null(path)
            case timedelta():
                return _duration(value)
            case UUID():
                return str(value)
            case PathLike():
                return _string(fsdecode(value), path)
            case dict():
                return self._object(value.items(), len(value), path)
            case list() | tuple() | deque():
                return self._array(value, path)
        return self._foreign(value, path)

    def _null(self, path: Path) -> Any:
        self.nulls.append(path)
        return None

    def _number(self, value: float | Decimal, path: Path) -> Any:
        if not isfinite(value):
            return self._null(path)
        return float(value) if isinstance(value, float) else str(value)

    def _object(self, members: Iterable[tuple[Any, Any]], length: int, path: Path) -> dict[str, Any]:
        self._enter(length, path)
        found: dict[str, Any] = {}
        for key, member in members:
            name = self._key(key, path)
            if name in found:
                raise NoForm((*path, name), "stands for two keys")
            found[name] = self.form(member, (*path, name))
        return found

    def _key(self, key: Any, path: Path) -> str:
        """A key that is a text, or the text of a number, a date and the like."""
        form = self.form(key, (*path, key))
        if isinstance(form, dict | list):
            raise NoForm((*path, key), f"has a key of type {_kind(key)}, which has no text")
        return form if isinstance(form, str) else _ENCODER.encode(form)

    def _array(self, value: Collection[Any], path: Path) -> list[Any]:
        self._enter(len(value), path)
        return [self.form(item, (*path, index)) for index, item in enumerate(value)]

    def _enter(self, members: int, path: Path) -> None:
        self._allowance.take(members)
        if len(path) >= self._max_depth:
            raise NoForm(path, f"and so on is nested more than {self._max_depth} deep, or contains itself")

    def _foreign(self, value: Any, path: Path) -> Any:
        # A value can be of a library only where that was imported, so it need not be imported here.
        numpy, pydantic, pandas, addresses = map(sys.modules.get, ("numpy", "pydantic", "pandas", "ipaddress"))
        if is_dataclass(value) and not isinstance(value, type):
            names = [each.name for each in fields(value)]
            return self._object(((name, getattr(value, name)) for name in names), len(names), path)
        if pydantic and isinstance(value, pydantic.BaseModel):
            return self.form(value.model_dump(mode="json", by_alias=True), path)
        if numpy and isinstance(value, numpy.ndarray | numpy.generic):
            return self._numpy(numpy, value, path)
        if pandas and value is getattr(pandas, "NA", nan):
            return self._null(path)
        if isinstance(value, Mapping):
            return self._object(value.items(), len(value), path)
        if addresses and isinstance(value, addresses._IPAddressBase):
            return str(value)
        if isinstance(value, bytes | bytearray | memoryview):
            raise NoForm(path, f"is a {_kind(value)}: JSON has no bytes, but base64 or a data URL")
        raise NoForm(path, f"is a {_kind(value)}")

    def _numpy(self, numpy: Any, value: Any, path: Path) -> Any:
        match value.dtype.kind:
            case "b" | "i" | "u":
                return value.tolist()
            case "f":
                doubles = value.astype(float).tolist()
                return doubles if numpy.isfinite(value).all() else self.form(doubles, path)
            case "U" | "S" | "O":
                return self.form(value.tolist(), path)
            case "M":
                return self._times(numpy, numpy.datetime_as_string(value), value, path)
            case "m" if numpy.can_cast(value.dtype, "timedelta64[us]", "same_kind"):
                return self._times(numpy, value.astype("timedelta64[us]"), value, path)
        raise NoForm(path, f"is a {_kind(value)} of {value.dtype}")

    def _times(self, numpy: Any, converted: Any, value: Any, path: Path) -> Any:
        times = numpy.asarray(converted).astype(object)
        times[numpy.isnat(value)] = nan
        return self.form(times.tolist(), path)


def json_form(value: object) -> Any:
    """The value made of JSON values alone. NoForm where that is impossible."""
    return JsonForm().form(value)


def format_path(path: Path) -> str:
    """The path as text: `$.a.0`."""
    parts = (str(part) if isinstance(part, str | int) else f"<{_kind(part)}>" for part in path[:20])
    return ".".join(("$", *(part[:80].encode("utf-8", "backslashreplace").decode() for part in parts)))


def _string(value: str, path: Path) -> str:
    if _SURROGATE.search(value):
        raise NoForm(path, "holds a lone surrogate, which is not a character")
    return str.__str__(value)


def _integer(value: int, path: Path) -> int:
    if abs(value) >= _TOO_LARGE:
        raise NoForm(path, f"is an integer of more than {MAX_INTEGER_DIGITS} digits")
    return int(value)


def _duration(value: timedelta) -> str:
    """ISO 8601, as `-P1DT2H3M4.5S`."""
    length = abs(value)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{length.microseconds:06}".rstrip("0") if length.microseconds else ""
    parts = ((f"{length.days}D", length.days), ("T", length - timedelta(length.days)))
    times = ((f"{hours}H", hours), (f"{minutes}M", minutes), (f"{seconds}{fraction}S", seconds or fraction))
    text = "".join(part for part, is_there in (*parts, *times) if is_there)
    return f"{'-' if value < timedelta() else ''}P{text or 'T0S'}"


def _kind(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
