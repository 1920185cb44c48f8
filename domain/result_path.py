"""A path to a place in a result: a singular query of JSONPath (RFC 9535), such as `$.points[0]` or `$['a b'][-1]`."""

import json
import re

from domain.errors import InvalidPath

Step = str | int
"""The name of a member of an object, or the index of an item of an array; a negative one counts from its end."""
ROOT = "$"
MAX_PATH_CHARACTERS = 1_000
MAX_INDEX = 2**53 - 1

_SPACE = r"[ \t\n\r]*+"
_ESCAPE = r"\\(?:[bfnrt/\\{quote}]|u[0-9A-Fa-f]{{4}})"
_QUOTED = r"{quote}(?:[^{quote}\\\x00-\x1f]|" + _ESCAPE + r")*+{quote}"
_SINGLE, _DOUBLE = (_QUOTED.format(quote=quote) for quote in "'\"")
_NAME = r"[A-Za-z_\x80-\U0010ffff][0-9A-Za-z_\x80-\U0010ffff]*+"
_SEGMENT = re.compile(
    rf"{_SPACE}(?:\.(?P<name>{_NAME})"
    rf"|\[{_SPACE}(?:(?P<index>0|-?[1-9][0-9]*+)|(?P<single>{_SINGLE})|(?P<double>{_DOUBLE})){_SPACE}\])"
)
_IN_SINGLE = re.compile(r"\\.|\"")


def steps_of(path: str) -> tuple[Step, ...]:
    """The steps that lead from a result to the place. Raises InvalidPath: the text is no such path."""
    if not path.startswith(ROOT) or len(path) > MAX_PATH_CHARACTERS:
        raise InvalidPath(path[:MAX_PATH_CHARACTERS], MAX_PATH_CHARACTERS if path.startswith(ROOT) else 0)
    steps: list[Step] = []
    position = len(ROOT)
    while position < len(path):
        segment = _SEGMENT.match(path, position)
        step = _step(segment) if segment else None
        if segment is None or step is None:
            raise InvalidPath(path, position)
        steps.append(step)
        position = segment.end()
    return tuple(steps)


def _step(segment: re.Match[str]) -> Step | None:
    """The step of a segment; None if its index or its name can be of no value."""
    if (index := segment["index"]) is not None:
        return int(index) if len(index) <= len(str(MAX_INDEX)) + 1 and abs(int(index)) <= MAX_INDEX else None
    name = segment["name"] if segment["name"] is not None else _unquoted(segment)
    return None if re.search("[\ud800-\udfff]", name) else name


def _unquoted(segment: re.Match[str]) -> str:
    if segment["double"] is not None:
        return str(json.loads(segment["double"]))
    inside = _IN_SINGLE.sub(lambda found: {r"\'": "'", '"': r"\""}.get(found[0], found[0]), segment["single"][1:-1])
    return str(json.loads(f'"{inside}"'))
