"""The arguments in which two tasks differ."""

from collections.abc import Iterator
from dataclasses import dataclass

from entrypoints.http.pages.forms.pieces import members

MAX_SHOWN_CHARACTERS = 200
MAX_CHANGES = 100


@dataclass(frozen=True)
class ArgumentChange:
    """One argument with its JSON text before and after; None where it is absent. Long texts are cut."""

    path: str
    before: str | None
    after: str | None


def changed_arguments(before: str, after: str) -> list[ArgumentChange]:
    """The arguments that differ between two tasks, by their JSON texts; members of objects one by one."""
    return [each for each, _ in zip(_changes("", before, after), range(MAX_CHANGES), strict=False)]


def _changes(path: str, before: str | None, after: str | None) -> Iterator[ArgumentChange]:
    if before == after:
        return
    olds, news = members(before), members(after)
    if olds is None or news is None:
        yield ArgumentChange(path, _cut(before), _cut(after))
        return
    for name in dict.fromkeys([*olds, *news]):
        yield from _changes(f"{path}.{name}" if path else name, olds.get(name), news.get(name))


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"
