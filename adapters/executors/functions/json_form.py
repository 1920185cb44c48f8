"""Convert a Python value to JSON values, member by member; an error names the path of the member."""

import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any
from uuid import UUID

from application.json.limits import MAX_DEPTH, MAX_INTEGER_DIGITS

MAX_RESULT_BYTES = 16 * 1024 * 1024
"""Bytes of a result as JSON text."""

_TOO_LARGE = 10**MAX_INTEGER_DIGITS
_SURROGATE = re.compile("[\ud800-\udfff]")

Path = tuple[Any, ...]


class NoForm(Exception):
    """JSON has no form for a member of a value; the message names its path, as in `$.a.0 is a set`."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{format_path(path)} {why}")


def too_long() -> NoForm:
    """The error of a value that has a JSON form, but a longer one than a result may have."""
    return NoForm((), f"is longer than {MAX_RESULT_BYTES:,} bytes as JSON")


class Allowance:
    """The members that one value may still have.

    A small value that contains itself many times over would otherwise take forever to convert.
    """

    def __init__(self) -> None:
        self._left = MAX_RESULT_BYTES

    def take(self, members: int) -> None:
        """Count further members. NoForm if these are too many."""
        self._left -= members
        if self._left < 0:
            raise too_long()


class JsonForm:
    """One conversion. `nulls` collects the paths of NaN and infinities, which become null."""

    def __init__(self) -> None:
        self.nulls: list[Path] = []
        self._allowance = Allowance()

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
                return value.isoformat()
            case UUID():
                return str(value)
            case dict():
                return self._object(value, path)
            case list() | tuple():
                return self._array(value, path)
        return self._foreign(value, path)

    def _number(self, value: float | Decimal, path: Path) -> float | str | None:
        if not isfinite(value):
            self.nulls.append(path)
            return None
        return float(value) if isinstance(value, float) else str(value)

    def _object(self, value: Mapping[Any, Any], path: Path) -> dict[str, Any]:
        self._enter(value, path)
        return {_key(key, path): self.form(member, (*path, key)) for key, member in value.items()}

    def _array(self, value: Collection[Any], path: Path) -> list[Any]:
        self._enter(value, path)
        return [self.form(item, (*path, index)) for index, item in enumerate(value)]

    def _enter(self, value: Collection[Any], path: Path) -> None:
        self._allowance.take(len(value))
        if len(path) >= MAX_DEPTH:
            raise NoForm(path, f"and so on is nested more than {MAX_DEPTH} deep, or contains itself")

    def _foreign(self, value: Any, path: Path) -> Any:
        # A value can be an array or a model only where its library was imported, so it need not be imported here.
        numpy, pydantic = sys.modules.get("numpy"), sys.modules.get("pydantic")
        if is_dataclass(value) and not isinstance(value, type):
            return self._object({each.name: getattr(value, each.name) for each in fields(value)}, path)
        if pydantic and isinstance(value, pydantic.BaseModel):
            return self._object(value.model_dump(mode="json", by_alias=True), path)
        if numpy and isinstance(value, numpy.ndarray | numpy.generic):
            return self._numpy(numpy, value, path)
        raise NoForm(path, f"is a {_kind(value)}")

    def _numpy(self, numpy: Any, value: Any, path: Path) -> Any:
        match value.dtype.kind:
            case "b" | "i" | "u":
                return value.tolist()
            case "f":
                doubles = value.astype(float).tolist()
                return doubles if numpy.isfinite(value).all() else self.form(doubles, path)
            case "U" | "O":
                return self.form(value.tolist(), path)
            case "M":
                return numpy.datetime_as_string(value).tolist()
        raise NoForm(path, f"is a {_kind(value)} of {value.dtype}")


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


def _key(key: Any, path: Path) -> str:
    if not isinstance(key, str) or isinstance(key, Enum):
        raise NoForm((*path, key), f"has a key of type {_kind(key)}: keys are strings")
    return _string(key, (*path, key))


def _kind(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
