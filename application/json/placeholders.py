"""Placeholders: the objects in arguments that stand for results of other tasks.

`{"$result": 17, "path": "$.trajectory"}` stands for a part of the result of task 17, and `{"$result": "a"}` for the
whole result of the item of the same request that is named a. Results go into arguments as texts, so they stay as exact
as they are stored.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from application.errors import InvalidReferences
from application.json.parsing import parse
from application.json.places import Place, shown
from application.json.scanning import member_named, member_start, value_at
from domain.errors import InvalidPath
from domain.ids import TaskId
from domain.result_path import ROOT, steps_of

RESULT, PATH = "$result", "path"
MAX_PLACEHOLDERS = 10_000
"""Placeholders in the arguments of one task."""
MAX_PLACES_NAMED = 10
MAX_ID_DIGITS = 18
"""Digits of an id: more would be none of PostgreSQL."""

_STRING = r'"(?:[^"\\]|\\.)*+"'
# No string has this as a part of its text: a quote in it would stand behind a backslash.
_WITH_PARENT = r'\{{(?:"path":({text}),)?"\$result":({parent})(?:,"path":({text}))?\}}'
_NAMED = re.compile(_WITH_PARENT.format(text=_STRING, parent=_STRING))
_WITH_ID = re.compile(_WITH_PARENT.format(text=_STRING, parent=f"[0-9]{{1,{MAX_ID_DIGITS}}}+"))


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder in arguments.

    - `place`: the steps that lead to it.
    - `parent`: the task whose result it stands for: its id, or its name among the items of the request.
    - `path`: the path in the result.
    """

    place: Place
    parent: TaskId | str
    path: str

    @property
    def shown_place(self) -> str:
        """Its place as a JSON path."""
        return shown(self.place)


def placeholders(args: Mapping[str, Any], takes_names: bool = True) -> Sequence[Placeholder]:
    """The placeholders in parsed arguments, in the order of their text.

    `takes_names`: whether they may name items of the same request.
    Raises InvalidReferences: an object with the member `$result` is none, or there are too many.
    """
    if RESULT in args:
        raise InvalidReferences({shown(()): ["a reference is the value of an argument, or is within one"]})
    found = list(islice(_found(args, ()), MAX_PLACEHOLDERS + 1))
    if len(found) > MAX_PLACEHOLDERS:
        raise InvalidReferences({shown(()): [f"it has more than {MAX_PLACEHOLDERS:,} references"]})
    errors = (error for place, value in found for error in _errors(place, value, takes_names))
    if named := {shown(place): [sentence] for place, sentence in islice(errors, MAX_PLACES_NAMED)}:
        raise InvalidReferences(named)
    return [Placeholder(place, value[RESULT], value.get(PATH, ROOT)) for place, value in found]


def placeholders_in_text(text: str) -> Sequence[Placeholder]:
    """The placeholders in the stored text of arguments, in its order."""
    return placeholders(parse(text))


def without_placeholders(args: Mapping[str, Any]) -> dict[str, Any]:
    """The parsed arguments without the members of objects whose values are placeholders."""
    return {
        name: without_placeholders(value) if isinstance(value, dict) else value
        for name, value in args.items()
        if not (isinstance(value, dict) and RESULT in value)
    }


def with_ids(text: str, ids: Mapping[str, TaskId]) -> str:
    """The stored text of arguments, whose placeholders have these ids in place of names."""

    def named(found: re.Match[str]) -> str:
        start, end = found.start(2) - found.start(), found.end(2) - found.start()
        return f"{found[0][:start]}{ids[json.loads(found[2])]}{found[0][end:]}"

    return _NAMED.sub(named, text)


def parents_in_text(text: str) -> Iterator[tuple[TaskId, str]]:
    """The parent and the path of each placeholder in the stored text of arguments, in its order."""
    return map(_parent_and_path, _WITH_ID.finditer(text))


def filled(text: str, part: Callable[[TaskId, str], str]) -> str:
    """The stored text of arguments, where `part` of a parent and a path takes the place of each placeholder."""
    return _WITH_ID.sub(lambda found: part(*_parent_and_path(found)), text)


def cut(result: str, path: str) -> str | None:
    """The text of the value at this path in the text of a result; None if the path leads to none."""
    steps = steps_of(path)
    if not steps:
        return result
    result, start = result.strip(), 0
    for step in steps:
        found = member_named(result, start, step) if isinstance(step, str) else _item(result, start, step)
        if found is None:
            return None
        start = found
    value = value_at(result, start)
    return result[value.start : value.end]


def _found(value: Mapping[str, Any] | Sequence[Any], place: Place) -> Iterator[tuple[Place, Any]]:
    """The objects with the member `$result`, with their places."""
    members: Any = value.items() if isinstance(value, Mapping) else enumerate(value)
    for step, member in members:
        if isinstance(member, dict) and RESULT in member:
            yield (*place, step), member
        elif isinstance(member, dict | list):
            yield from _found(member, (*place, step))


def _errors(place: Place, value: Mapping[str, Any], takes_names: bool) -> Iterator[tuple[Place, str]]:
    for name in value.keys() - {RESULT, PATH}:
        yield (*place, name), f"is not expected here: a reference has {RESULT} and {PATH} alone"
    parent, path = value[RESULT], value.get(PATH, ROOT)
    is_id = type(parent) is int and 1 <= parent < 10**MAX_ID_DIGITS
    if not is_id and not (takes_names and isinstance(parent, str)):
        yield (*place, RESULT), f"it must be the id of a task{' or the ref of an item' if takes_names else ''}"
    try:
        steps_of(path if isinstance(path, str) else "")
    except InvalidPath as error:
        yield (*place, PATH), str(error) if isinstance(path, str) else "it must be a text"


def _parent_and_path(found: re.Match[str]) -> tuple[TaskId, str]:
    path = found[1] or found[3]
    return TaskId(int(found[2])), json.loads(path) if path else ROOT


def _item(text: str, start: int, index: int) -> int | None:
    """The start of the item of the array that begins at `start`."""
    if not text.startswith("[", start):
        return None
    if index < 0:
        index += value_at(text, start).members or 0
    item = member_start(text, start, index) if index >= 0 else None
    return item.value if item else None
