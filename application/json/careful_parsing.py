"""Slow parsing of JSON that names the first part of a text that cannot be kept."""

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any

from application.json.errors import NotJson, UnkeepableJson
from application.json.limits import MAX_INTEGER_DIGITS, TOO_DEEP, is_too_deep

_SURROGATE = re.compile("[\ud800-\udfff]")
Step = str | int


class _Unkeepable:
    """Takes the place of a value that cannot be kept among the parsed ones."""

    def __init__(self, why: str) -> None:
        self.why = why


def parse_with_care(text: str) -> Any:
    """The value of a JSON text that is not nested too deep.

    Raises NotJson: the text is not JSON.
    Raises UnkeepableJson: the first part of it that cannot be kept.
    """
    try:
        value = _TOLERANT.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None
    _check_keepable(value)
    return value


def parse_at_with_care(text: str, start: int) -> tuple[Any, int]:
    """The value that begins at `start`, and its end. A value that cannot be kept is replaced by its UnkeepableJson.

    Raises JSONDecodeError: no value begins there.
    Raises UnkeepableJson: the value is nested too deep to find its end.
    """
    try:
        value, end = _TOLERANT.raw_decode(text, start)
    except RecursionError:
        raise UnkeepableJson("$", TOO_DEEP) from None
    if is_too_deep(text[start:end]):
        return UnkeepableJson("$", TOO_DEEP), end
    try:
        _check_keepable(value)
    except UnkeepableJson as error:
        return error, end
    return value, end


def _integer(digits: str) -> int | float | _Unkeepable:
    if len(digits.lstrip("-")) > MAX_INTEGER_DIGITS:
        return _Unkeepable(f"an integer has at most {MAX_INTEGER_DIGITS} digits")
    return -0.0 if digits == "-0" else int(digits)


def _double(digits: str) -> float | _Unkeepable:
    number = float(digits)
    return number if isfinite(number) else _Unkeepable(f"{digits[:40]} is beyond a double")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Unkeepable:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    return _Unkeepable(f"the key {_shown(_first_duplicate(pairs))} stands twice")


def _first_duplicate(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    return next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]


_TOLERANT = json.JSONDecoder(
    parse_int=_integer,
    parse_float=_double,
    parse_constant=lambda name: _Unkeepable(f"{name} is not a JSON number"),
    object_pairs_hook=_unique,
)
"""Parses what cannot be kept too, as _Unkeepable values that say why."""


def _check_keepable(value: Any) -> None:
    """Raises UnkeepableJson: the first part, in the order of the text, that cannot be kept."""
    path: list[Step] = ["$"]
    levels: list[Iterator[tuple[Step, Any]]] = [iter([("$", value)])]
    while levels:
        for path[-1], member in levels[-1]:
            if isinstance(member, _Unkeepable):
                raise UnkeepableJson(_shown_path(path), member.why)
            if isinstance(member, str) and _SURROGATE.search(member):
                raise UnkeepableJson(_shown_path(path), "a lone surrogate is not a character")
            if isinstance(member, dict | list):
                levels.append(_members(member))
                path.append("")
                break
        else:
            levels.pop()
            path.pop()


def _members(container: dict[str, Any] | list[Any]) -> Iterator[tuple[Step, Any]]:
    """The members of a container, each with its step of the path. A key is one too: it may have a lone surrogate."""
    if isinstance(container, list):
        return enumerate(container)
    return (pair for key, member in container.items() for pair in ((key, key), (key, member)))


def _shown_path(path: list[Step]) -> str:
    return ".".join(_shown(str(step)) for step in path)


def _shown(key: str) -> str:
    return key.encode("utf-8", "backslashreplace").decode()[:80]
