"""JSON that comes back as it went in: what is kept, what is refused, and the text in which it is kept.

Kept are key order, integers of up to 4,300 digits, doubles to the last bit and every character that Unicode has.
Refused with the path of the place are NaN, numbers beyond a double, lone surrogates, duplicate keys and deep nesting.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from math import isfinite
from typing import Any, NoReturn

from domain.errors import NotKept

MAX_DEPTH = 200
MAX_INTEGER_DIGITS = 4_300
TOO_DEEP = f"arrays and objects may be nested {MAX_DEPTH} deep"

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_STEPS = [1 if sign in b"[{" else -1 for sign in range(256)]
_NEEDS_CARE = re.compile(r"\\u[dD][89a-fA-F]|-0(?![\d.eE])")
"""An escaped surrogate, which may be a lone one, and the zero that is no integer."""
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """The text is not JSON; the message says where it stops being so."""


class _Unkept:
    """Stands in a parsed value where something was that cannot be kept."""

    def __init__(self, why: str) -> None:
        self.why = why


def parse(text: str) -> Any:
    """The value of a JSON text. NotJson if it is none, NotKept if it holds what cannot be kept."""
    _check_depth(text)
    if not _NEEDS_CARE.search(text):
        try:
            return _PLAIN.decode(text)
        except (ValueError, RecursionError):
            pass
    return _parse_with_care(text)


def first(text: str, at: int) -> tuple[Any, int]:
    """The value that begins at that place, and where it ends; in the place of one that cannot be kept, its NotKept.

    JSONDecodeError where none begins, NotKept for one that is nested too deep to find its end.
    """
    with suppress(ValueError, RecursionError):
        value, end = _PLAIN.raw_decode(text, at)
        part = text[at:end]
        if not _NEEDS_CARE.search(part) and not _is_too_deep(part):
            return value, end
    return _first_with_care(text, at)


def dump(value: Any) -> str:
    """The text in which a parsed value is kept: compact, and free of NUL and of what UTF-8 has no form for."""
    return _COMPACT.encode(value)


def canonical(value: Any) -> str:
    """The same text for all values that say the same: in any order of keys, and 1.0 for 1."""
    return _SORTED.encode(_with_whole_numbers(value))


def _with_whole_numbers(value: Any) -> Any:
    match value:
        case dict():
            return {key: _with_whole_numbers(member) for key, member in value.items()}
        case list():
            return [_with_whole_numbers(item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError
    return number


def _never(_: str) -> NoReturn:
    raise ValueError


_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_SORTED = json.JSONEncoder(sort_keys=True)
_PLAIN = json.JSONDecoder(parse_float=_finite, parse_constant=_never, object_pairs_hook=_unique)
"""Parses what can be kept, and leaves it to _parse_with_care to say what is wrong with the rest."""


def _parse_with_care(text: str) -> Any:
    try:
        value = _CAREFUL.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None
    _refuse_first(value)
    return value


def _first_with_care(text: str, at: int) -> tuple[Any, int]:
    try:
        value, end = _CAREFUL.raw_decode(text, at)
    except RecursionError:
        raise NotKept("$", TOO_DEEP) from None
    try:
        _check_depth(text[at:end])
        _refuse_first(value)
    except NotKept as error:
        return error, end
    return value, end


def _integer(digits: str) -> "int | float | _Unkept":
    if len(digits.lstrip("-")) > MAX_INTEGER_DIGITS:
        return _Unkept(f"an integer has at most {MAX_INTEGER_DIGITS} digits")
    return -0.0 if digits == "-0" else int(digits)


def _double(digits: str) -> "float | _Unkept":
    number = float(digits)
    return number if isfinite(number) else _Unkept(f"{digits[:40]} is beyond a double")


def _once(pairs: list[tuple[str, Any]]) -> Any:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return _Unkept(f"the key {_shown(twice)} stands twice")


_CAREFUL = json.JSONDecoder(
    parse_int=_integer,
    parse_float=_double,
    parse_constant=lambda name: _Unkept(f"{name} is not a JSON number"),
    object_pairs_hook=_once,
)
"""Parses what cannot be kept as well, and says why."""


def _check_depth(text: str) -> None:
    if _is_too_deep(text):
        raise NotKept("$", TOO_DEEP)


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub("", text).encode(errors="surrogatepass").translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH


def _refuse_first(value: Any) -> None:
    """NotKept for the first thing in the order of the text that cannot be kept."""
    path: list[str | int] = ["$"]
    levels: list[Iterator[tuple[str | int, Any]]] = [iter([("$", value)])]
    while levels:
        for path[-1], found in levels[-1]:
            if isinstance(found, _Unkept):
                raise NotKept(_shown_path(path), found.why)
            if isinstance(found, str) and _SURROGATE.search(found):
                raise NotKept(_shown_path(path), "a lone surrogate is not a character")
            if isinstance(found, dict | list):
                levels.append(_members(found))
                path.append("")
                break
        else:
            levels.pop()
            path.pop()


def _members(container: dict[str, Any] | list[Any]) -> Iterator[tuple[str | int, Any]]:
    """What is in it, each with its step of the path; a key is a member too, as it may be what is wrong."""
    if isinstance(container, list):
        return enumerate(container)
    return (pair for key, member in container.items() for pair in ((key, key), (key, member)))


def _shown_path(path: list[str | int]) -> str:
    return ".".join(_shown(str(step)) for step in path)


def _shown(key: str) -> str:
    return key.encode("utf-8", "backslashreplace").decode()[:80]
