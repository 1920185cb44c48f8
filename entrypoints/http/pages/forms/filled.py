"""Filled fields: what each field of a form shows, and the JSON text that it stands for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute

from entrypoints.http.pages.forms.fields import Field
from entrypoints.http.pages.forms.kinds import Choice, Kind, Moment, Text
from entrypoints.http.pages.forms.sent import EMPTY, KEEP, NULL


@dataclass
class FilledField:
    """A field with its text.

    - `json`: the JSON text that it stands for; None where it is left out.
    - `base`: the JSON text that it had at first; None where it had none.
    - `kind`: None for a JSON field.
    - `special`: what it stands for while it is empty, in place of being left out.
    - `is_broken`: whether `json` is no JSON text that can be kept.
    - `may_sweep`: whether it may have several values.
    - `is_several`: whether each line of a text is a value.
    - `values`: the JSON texts of its several values, the first of which is `json`; None where it has one.
    """

    field: Field
    base: str | None
    json: str | None = None
    text: str = ""
    kind: Kind | None = None
    special: str = ""
    is_broken: bool = False
    may_sweep: bool = False
    is_several: bool = False
    values: Sequence[str] | None = None
    errors: list[str] = attribute(default_factory=list)

    @property
    def parts(self) -> "list[FilledField]":
        """The fields in it."""
        return []

    @property
    def path(self) -> str:
        """The path of its value in the errors of a check."""
        return ".".join(("$", *(step[:80] for step in self.field.path)))

    @property
    def id(self) -> str:
        """The id of its element."""
        return "field-" + "_".join(self.field.name.split())

    @property
    def control(self) -> str:
        """The macro of the template that shows it."""
        if self.kind is None:
            return "json"
        if isinstance(self.kind, Moment) and self.kind.split(self.text) is None and self.text:
            return "line"
        if self.may_sweep and isinstance(self.kind, Choice):
            return "choices"
        if self.may_sweep and isinstance(self.kind, Text):
            return "lines"
        return "lines" if "\n" in self.text and self.kind.control == "line" else self.kind.control

    @property
    def takes_several_lines(self) -> bool:
        """Whether each of its lines may be a value, if that is said."""
        return self.may_sweep and isinstance(self.kind, Text)

    @property
    def local_and_zone(self) -> tuple[str, str]:
        """The two parts of a time."""
        found = self.kind.split(self.text) if isinstance(self.kind, Moment) else None
        return found if found and self.text else ("", getattr(self.kind, "zone", None) or "")

    @property
    def specials(self) -> Iterator[tuple[str, str]]:
        """The words for what it may stand for while it is empty, with their labels."""
        if self.special == KEEP and self.base is not None:
            yield KEEP, f"keep the value, which has {len(self.base.encode()):,} bytes"
        if self.field.takes_null and not isinstance(self.kind, Choice):
            yield NULL, "null"
        if self.kind and self.kind.empty:
            yield EMPTY, "empty text" if isinstance(self.kind, Text) else "empty list"

    def is_changed(self) -> bool:
        """Whether it stands for another text than at first."""
        return self.json != self.base or self.values is not None

    def walk(self) -> "Iterator[FilledField]":
        """It and all fields in it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass
class FilledGroup(FilledField):
    """A fieldset with its filled fields."""

    filled: list[FilledField] = attribute(default_factory=list)

    @property
    def parts(self) -> list[FilledField]:
        return self.filled
