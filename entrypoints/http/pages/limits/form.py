"""The form in which an operator sets limits: a field left empty leaves a limit as the function declares it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from application.ports.published_types import PublishedType
from domain.errors import InvalidOption
from domain.limits import OR_NULL, Override
from entrypoints.http.pages.limits.words import SHOWN, plain, set_by_operator, shown_of

LABELS: Mapping[str, tuple[str, str, str]] = {
    "at_once": ("At once", "no limit", "Tasks that may run at the same time, over all handlers. 0 starts none."),
    "per_second": ("Starts a second", "no limit", "Over all handlers, retries included. 0.1 is one in ten seconds."),
    "at_once_per_lane": ("At once of a lane", "no limit", "Tasks of one lane that may run at the same time."),
    "burst": ("Burst", "the default", "Starts that may come together after a pause. It needs a rate."),
}
"""The label of each field, a word for its value without a limit, and its help."""
LIFT = "lift."
"""The prefix of the boxes that lift a limit."""
MAX_NUMBER_CHARACTERS = 30


@dataclass
class LimitField:
    """The field of one limit, as it was sent or is set now.

    - `text`: empty if nothing is set.
    - `is_lifted`: whether the limit is lifted though the function declares it.
    - `declared`: the value that the function declares, as text; empty if it declares none.
    """

    name: str
    text: str
    is_lifted: bool
    declared: str
    errors: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return LABELS[self.name][0]

    @property
    def unlimited(self) -> str:
        """A word for the value without a limit."""
        return LABELS[self.name][1]

    @property
    def help(self) -> str:
        """What the limit does, and what an empty field stands for."""
        empty = f"{self.declared}, as the function declares" if self.declared else self.unlimited
        return f"{LABELS[self.name][2]} Empty: {empty}."

    @property
    def may_be_lifted(self) -> bool:
        """Whether its box is shown: without a declared limit, an empty field says the same."""
        return bool(self.declared) or self.is_lifted

    def chosen(self) -> Iterator[tuple[str, Any]]:
        """The limit with its value, if it is set. A mistake is noted instead."""
        if self.is_lifted and self.text:
            self.errors.append(f"Give a number or check “{self.unlimited}”, not both.")
        elif self.is_lifted:
            yield self.name, None
        elif self.text:
            try:
                yield from Override({self.name: _number(self.text)}).limits.items()
            except InvalidOption as error:
                self.errors.append(f"Must be {error.expected.removesuffix(OR_NULL)}.")


@dataclass(frozen=True)
class LimitsForm:
    """The fields of all limits that can be numbers."""

    fields: Sequence[LimitField]

    @classmethod
    def of(cls, published: PublishedType) -> Self:
        """The form with what is set now."""
        chosen = set_by_operator(published)
        lifted = {name for name, value in chosen.items() if value is None}
        texts = {name: plain(chosen[name]) for name in SHOWN if name in chosen.keys() - lifted}
        return cls([_field(published, name, texts.get(name, ""), name in lifted) for name in shown_of(published)])

    @classmethod
    def sent(cls, published: PublishedType, form: Mapping[str, str]) -> Self:
        """The form as it was sent."""
        names = shown_of(published)
        return cls([_field(published, name, form.get(name, "").strip(), LIFT + name in form) for name in names])

    def chosen(self) -> Mapping[str, Any]:
        """The limits that are set, by name. Mistakes are noted at their fields."""
        return dict(pair for each in self.fields for pair in each.chosen())

    @property
    def first_wrong(self) -> LimitField | None:
        """The first field with a mistake."""
        return next((each for each in self.fields if each.errors), None)


def _field(published: PublishedType, name: str, text: str, is_lifted: bool) -> LimitField:
    declared = getattr(published.type.limits, name)
    return LimitField(name, text, is_lifted, "" if declared is None else plain(declared))


def _number(text: str) -> int | float | str:
    """The number that a text stands for; the text itself if it is none."""
    if len(text) > MAX_NUMBER_CHARACTERS or not text.isascii() or "_" in text:
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
