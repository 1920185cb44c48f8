"""A sweep: many sets of arguments, made of fields that have several values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from application.json.parsing import parse
from domain.batch import MAX_NAME_CHARACTERS
from entrypoints.http.pages.forms.fields import Path
from entrypoints.http.pages.forms.filled import FilledField
from entrypoints.http.pages.forms.sweep_values import MAX_VALUES
from entrypoints.http.requests.queries import LABEL_PREFIX

PRODUCT, ZIP = "product", "zip"
"""How fields are combined: every value with every other, or the first with the first, and so on."""
MAX_BYTES = 32 * 1024 * 1024
"""Bytes of the arguments of all tasks: as many as the body of a batch may have."""
_IN_TASK = re.compile(r"\$\.tasks\.(?P<task>[0-9]+)\.(?P<member>[a-z_]+)(?P<rest>.*)", re.DOTALL)
Errors = Mapping[str, Mapping[str, Sequence[str]]]
"""Sentences by the part of a request and by the path or the parameter in it."""


@dataclass(frozen=True)
class Sweep:
    """Fields with several values, and how they are combined. Without any it is one set of arguments."""

    fields: Sequence[FilledField]
    how: str

    @property
    def lengths(self) -> Sequence[int]:
        """The number of values of each field."""
        return [len(each.values or ()) for each in self.fields]

    @property
    def count(self) -> int:
        """The number of sets of arguments."""
        return min(self.lengths, default=1) if self.how == ZIP else prod(self.lengths)

    @property
    def mistakes(self) -> Iterator[str]:
        """Why its fields cannot be combined, in sentences."""
        if self.how == ZIP and len({*self.lengths}) > 1:
            numbers = ", ".join(f"{each.field.title} has {len(each.values or ())}" for each in self.fields)
            yield f"Side by side, all fields need as many values: {numbers}."
        elif self.count > MAX_VALUES:
            yield f"The sweep has {self.count:,} tasks. A batch takes {MAX_VALUES:,} at most."

    def arguments(self, first: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The sets of arguments, made of the one in which each field has its first value."""
        values = [[parse(value) for value in each.values or ()] for each in self.fields]
        for chosen in zip(*values, strict=True) if self.how == ZIP else product(*values):
            args = first
            for each, value in zip(self.fields, chosen, strict=True):
                args = _with(args, each.field.path, value)
            yield args

    def name(self, type: str) -> str:
        """The name of the batch: the type, and the fields as they were typed."""
        between = " with " if self.how == ZIP else ", "
        shown = between.join(f"{each.field.title}={_on_one_line(each.text)}" for each in self.fields)
        name = f"{type}: {shown}" if shown else type
        return name if len(name) <= MAX_NAME_CHARACTERS else f"{name[: MAX_NAME_CHARACTERS - 1]}…"

    def errors(self, errors: Mapping[str, Sequence[str]]) -> Errors:
        """The errors of all tasks as those of one, each sentence once, with the value that it is about."""
        placed: dict[str, dict[str, dict[str, str]]] = {"json": {}, "query": {}}
        for path, sentences in errors.items():
            part, place, value = self._place(path)
            for sentence in sentences:
                placed[part].setdefault(place, {}).setdefault(sentence, f"{value}: {sentence}" if value else sentence)
        return {part: {place: [*told.values()] for place, told in by.items()} for part, by in placed.items()}

    def _place(self, path: str) -> tuple[str, str, str]:
        """The part of a request that an error is about, the place in it, and the value of a swept field."""
        found = _IN_TASK.fullmatch(path)
        if not found:
            return "json", path, ""
        if found["member"] == "args":
            place = f"${found['rest']}"
            return "json", place, self._values_of(int(found["task"])).get(place, "")
        is_label = found["member"] == "labels"
        return "query", f"{LABEL_PREFIX}{found['rest'].removeprefix('.')}" if is_label else found["member"], ""

    def _values_of(self, task: int) -> Mapping[str, str]:
        """The JSON text of each field in one of the tasks, by its path."""
        found = {}
        for each, length in zip(reversed(self.fields), reversed(self.lengths), strict=True):
            task, nth = (task, task) if self.how == ZIP else divmod(task, length)
            found[each.path] = (each.values or ())[nth]
        return found


def _with(args: Mapping[str, Any], path: Path, value: Any) -> Mapping[str, Any]:
    """The same arguments with another value at the path."""
    first, *rest = path
    return {**args, first: _with(args[first], tuple(rest), value) if rest else value}


def _on_one_line(text: str) -> str:
    return ",".join(line.strip() for line in text.splitlines() if line.strip())
