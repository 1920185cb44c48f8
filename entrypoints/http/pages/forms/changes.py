"""The arguments in which two tasks differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from entrypoints.http.pages.forms.pieces import members

MAX_SHOWN_CHARACTERS = 200
MAX_CHANGES = 100
MAX_DEPTH = 5
"""Objects in objects whose members are compared one by one: each level reads all that is in it."""


@dataclass(frozen=True)
class ArgumentChange:
    """One argument with its JSON text before and after; None where it is absent. Long texts are cut."""

    path: str
    before: str | None
    after: str | None


def changed_arguments(before: str, after: str) -> list[ArgumentChange]:
    """The arguments that differ between two tasks, by their JSON texts; members of objects one by one."""
    return [*islice(_changes("", before, after, MAX_DEPTH), MAX_CHANGES)]


def _changes(path: str, before: str | None, after: str | None, depth: int) -> Iterator[ArgumentChange]:
    if before == after:
        return
    olds, news = (members(before), members(after)) if depth else (None, None)
    if olds is None or news is None:
        yield ArgumentChange(path, before and _cut(before), after and _cut(after))
        return
    for name in dict.fromkeys([*olds, *news]):
        inner = _cut(f"{path}.{name}" if path else name)
        yield from _changes(inner, olds.get(name), news.get(name), depth - 1)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"
