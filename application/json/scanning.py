"""Scanning of large JSON texts: members and their number are found without building a value.

The texts are known to be JSON. A part of a text is reduced to its brackets and commas outside of strings by operations
on bytes, which takes a few nanoseconds a character; only the place that is sought is looked at more closely.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MIN_STEP, MAX_STEP = 64, 2**18
"""Characters that a search looks at together, powers of two."""
MAX_SHAPES = 4
"""Shapes of arrays and objects that are removed from a part one by one, which is faster, before all others are."""
_SIGNS = b'"[]{},'
_ALL_BUT_SIGNS = bytes(set(range(256)) - set(_SIGNS))
_OPENING, _CLOSING = "[{", "]}"
_INNERMOST = re.compile(rb"[\[{],*+[\]}]")
_QUOTED = re.compile(rb'"[^"]*+(?:"|\Z)')
_GROUPS = re.compile(rb",++|[\[{]++|[\]}]++")
_SPACE = re.compile(r"[ \t\r\n]*+")
_SCALAR = re.compile(r"[^\s,:\]}]++")
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_ESCAPES = re.compile(r"\\*+")


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a text: `text[start:end]`. `members`: the number of members of an array or object."""

    start: int
    end: int
    members: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an array or object: its value, and its key as it stands in the text."""

    value: Value
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Where a member of an array or object begins: its key as it stands in the text, and the start of its value."""

    value: int
    key: str | None = None


def value_at(text: str, start: int = 0) -> Value:
    """The value that begins at `start`, or after the space there."""
    start = _after_space(text, start)
    if text[start] in _OPENING:
        return _container_at(text, start)
    return Value(start, (_STRING if text[start] == '"' else _SCALAR).match(text, start).end())  # type: ignore[union-attr]


def members(text: str, container: Value, first: int = 0) -> Iterator[Member]:
    """The members of an array or object from number `first` on, each found when it is asked for."""
    if first >= (container.members or 0):
        return
    position = _member_start(text, container.start, first)
    has_keys = text[container.start] == "{"
    while True:
        member = _member_at(text, position, has_keys)
        yield member
        position = _after_space(text, member.value.end)
        if text[position] != ",":
            return
        position += 1


def member_start(text: str, start: int, number: int) -> Start | None:
    """The start of one member of the value that begins at `start`; None if it has no such member.

    The end of that value is not looked for, so a way down to a place reads no character twice.
    """
    start = _after_space(text, start)
    if text[start] not in _OPENING:
        return None
    position = _after_space(text, _member_start(text, start, number))
    is_over = position >= len(text) or text[position] in f"{_CLOSING},"
    return None if is_over else _start_at(text, position, text[start] == "{")


def member_named(text: str, start: int, name: str) -> int | None:
    """The start of the value of this name in the object that begins at `start`; None if there is no such value."""
    position = start + 1
    if text[start] != "{" or text[_after_space(text, position)] == "}":
        return None
    while True:
        member = _start_at(text, position, has_key=True)
        if json.loads(member.key or "") == name:
            return member.value
        position = _after_space(text, value_at(text, member.value).end)
        if text[position] != ",":
            return None
        position += 1


def _member_at(text: str, position: int, has_key: bool) -> Member:
    start = _start_at(text, position, has_key)
    return Member(value_at(text, start.value), start.key)


def _start_at(text: str, position: int, has_key: bool) -> Start:
    if not has_key:
        return Start(_after_space(text, position))
    key = value_at(text, position)
    return Start(_after_space(text, text.index(":", key.end) + 1), text[key.start : key.end])


def _after_space(text: str, position: int) -> int:
    return _SPACE.match(text, position).end()  # type: ignore[union-attr]


def _container_at(text: str, start: int) -> Value:
    inside = _after_space(text, start + 1)
    if text[inside] in _CLOSING:
        return Value(start, inside + 1, 0)
    end = _find(text, _State(start + 1), lambda state: state.depth == 0)
    return Value(start, end.position, end.commas + 1)


def _member_start(text: str, start: int, number: int) -> int:
    if number == 0:
        return start + 1
    return _find(text, _State(start + 1), lambda state: state.depth == 0 or state.commas >= number).position


@dataclass(frozen=True, slots=True)
class _State:
    """A place in an array or object.

    - `depth`: the number of arrays and objects around it; 0 after the end of the outermost one.
    - `commas`: the number of commas of the outermost one before it.
    """

    position: int
    depth: int = 1
    commas: int = 0
    is_in_string: bool = False


def _find(text: str, state: _State, is_found: Callable[[_State], bool]) -> _State:
    """The state after the first character with which it is found: by steps that grow, then by steps that are halved."""
    size = MIN_STEP
    while not is_found(after := _advanced(text, state, size)):
        if after.position >= len(text):
            raise ValueError("the text is no JSON")
        state, size = after, min(size * 2, MAX_STEP)
    while size > 1:
        size //= 2
        after = _advanced(text, state, size)
        if not is_found(after):
            state = after
    return _advanced(text, state, 1)


def _advanced(text: str, state: _State, size: int) -> _State:
    """The state some characters later, or a few more: no step ends within an escape."""
    end = state.position + size
    if text[end - 1 : end] == "\\":
        end = _ESCAPES.match(text, end).end() + 1  # type: ignore[union-attr]
    signs, is_in_string = _structure(text[state.position : end], state.is_in_string)
    depth, commas = state.depth, state.commas
    for group in _GROUPS.findall(_without_innermost(signs)):
        if group[0] == ord(","):
            commas += len(group) if depth == 1 else 0
        else:
            depth += len(group) if group[0] in b"[{" else -len(group)
        if depth <= 0:
            return _State(end, 0, commas)
    return _State(end, depth, commas, is_in_string)


def _structure(part: str, is_in_string: bool) -> tuple[bytes, bool]:
    """The brackets and commas of a part outside of strings, and whether its end is in a string."""
    data = part.encode(errors="replace")
    if b"\\" in data:
        data = data.replace(rb"\\", b"").replace(rb"\"", b"")
    signs = b'"' * is_in_string + data.translate(None, _ALL_BUT_SIGNS)
    # Two quotes side by side do not change what is inside and what is outside, whichever they are.
    signs = signs.replace(b'""', b"")
    ends_in_string = signs.count(b'"') % 2 == 1
    return (_QUOTED.sub(b"", signs) if b'"' in signs else signs), ends_in_string


def _without_innermost(signs: bytes) -> bytes:
    """The same without the arrays and objects that lie in it as a whole."""
    while True:
        for _ in range(MAX_SHAPES):
            found = _INNERMOST.search(signs)
            if not found:
                return signs
            signs = signs.replace(found[0], b"")
        signs = _INNERMOST.sub(b"", signs)
