"""Errors at their fields: each sentence of a check stands at the field that its path leads to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from entrypoints.http.pages.forms.fields import FURTHER
from entrypoints.http.pages.forms.filled import FilledField


def place_errors(root: FilledField, errors: Mapping[str, Any]) -> list[str]:
    """Add the sentences to the fields that their paths lead to, and return those that are about no field."""
    fields = {each.path: each for each in root.walk()}
    return [left for path, sentences in errors.items() for left in _placed(fields, path, list(sentences))]


def _placed(fields: Mapping[str, FilledField], path: str, sentences: Sequence[str]) -> Iterator[str]:
    at = next((each for each in _ends(path) if each in fields), "$")
    rest = path[len(at) + 1 :]
    field = fields.get(f"{at}.{FURTHER}", fields[at]) if rest and fields[at].parts else fields[at]
    told = [f"{fields[at].field.key}.{rest}: {sentence}".lstrip(".") if rest else sentence for sentence in sentences]
    if field.field.path:
        field.errors += told
    else:
        yield from told


def _ends(path: str) -> Iterator[str]:
    """The path, and those of all that its value is in, the nearest first."""
    while path:
        yield path
        path = path.rpartition(".")[0]
