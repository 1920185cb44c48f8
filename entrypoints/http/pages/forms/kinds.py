"""Kinds of fields: each shows a JSON text as the text of a field, and makes JSON text of what is typed into it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from entrypoints.http.pages.forms.pieces import NUMBER, quoted, value

UNSHOWABLE = re.compile("[\0-\x08\x0b-\x1f\ud800-\udfff]")
"""Characters that a browser does not send back as they were."""
WHOLE_NUMBER = "whole number"
_LOCAL = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?"),
    "time": re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,3})?)?"),
}
_ZONE = re.compile(r"(Z|z|[+-]\d\d:?\d\d(:\d\d)?)$")


class Kind(Protocol):
    """A kind of field.

    - `control`: the macro of the template that shows it.
    - `word`: the name of its values, for help.
    - `empty`: the JSON text that an empty field may stand for; None if there is none.
    """

    @property
    def control(self) -> str: ...

    @property
    def word(self) -> str: ...

    @property
    def empty(self) -> str | None: ...

    def show(self, json: str) -> str | None:
        """The text of the field for a JSON text; None if it cannot be shown like that."""
        ...

    def read(self, text: str) -> str:
        """The JSON text of a text that is not blank. One of another kind becomes a string, which the check refuses."""
        ...

    def normal(self, text: str) -> str:
        """The same text for all forms in which a browser may send a text that was not changed."""
        ...


class Plain:
    """The parts that most kinds have in common."""

    control = "line"
    empty: str | None = None
    suggestions: Sequence[str] = ()
    inputmode = "text"

    def normal(self, text: str) -> str:
        return text.replace("\r\n", "\n").strip()


@dataclass(frozen=True)
class Number(Plain):
    """A number, which stays as it is typed; or one of a few words, where the schema takes them too.

    `inputmode`: the keyboard of a phone. One for numbers may have no minus.
    """

    word: str = "number"
    inputmode: str = "text"
    suggestions: Sequence[str] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole number."""
        return self.word == WHOLE_NUMBER

    def show(self, json: str) -> str | None:
        if NUMBER.fullmatch(json):
            return json
        found = value(json) if json.startswith('"') else None
        return found if found in self.suggestions else None

    def read(self, text: str) -> str:
        text = text.strip()
        return text if NUMBER.fullmatch(text) else quoted(text)


@dataclass(frozen=True)
class Text(Plain):
    """A text. `control`: `line`, or `lines` where it may have several.

    `takes_numbers`: whether a number may be shown as well, as that of a decimal.
    """

    word: str = "text"
    control: str = "lines"
    empty: str | None = '""'
    takes_numbers: bool = False
    suggestions: Sequence[str] = ()
    inputmode: str = "text"

    def show(self, json: str) -> str | None:
        if self.takes_numbers and NUMBER.fullmatch(json):
            return json
        found: str | None = value(json) if json.startswith('"') else None
        if found is None or UNSHOWABLE.search(found) or (self.control == "line" and "\n" in found):
            return None
        return found

    def read(self, text: str) -> str:
        return quoted(self.normal(text))

    def normal(self, text: str) -> str:
        return text.replace("\r\n", "\n") if self.control == "lines" else text.strip()


@dataclass(frozen=True)
class Moment(Plain):
    """A date, a time or both, with the offset of its zone. `zone`: the usual offset, or None where there is no zone."""

    format: str
    zone: str | None = None
    control: str = "moment"

    @property
    def word(self) -> str:
        return {"date": "date", "time": "time of day", "date-time": "date and time"}[self.format]

    @property
    def type(self) -> str:
        """The type of the input."""
        return {"date-time": "datetime-local"}.get(self.format, self.format)

    def show(self, json: str) -> str | None:
        found = value(json) if json.startswith('"') else None
        return None if found is None or UNSHOWABLE.search(found) or "\n" in found else found

    def read(self, text: str) -> str:
        found = self.split(text.strip())
        # Browsers leave out seconds that are zero, and RFC 3339 demands them.
        seconds = ":00" if found and found[0].count(":") == 1 else ""
        return quoted(f"{found[0]}{seconds}{found[1]}" if found else text.strip())

    def split(self, text: str) -> tuple[str, str] | None:
        """The local time and the offset of the zone. None if a native field cannot show them exactly."""
        found = None if self.format == "date" else _ZONE.search(text)
        zone = found[0] if found else ""
        local = text.removesuffix(zone)
        is_native = bool(_LOCAL[self.format].fullmatch(local)) and not (zone and self.zone is None)
        return (local, zone) if is_native else None

    def normal(self, text: str) -> str:
        text = text.strip()
        local, zone = self.split(text) or (text, "")
        return _shortest(local) + zone


def _shortest(local: str) -> str:
    """A time without seconds that are zero, as browsers send it."""
    head, _, fraction = local.partition(".")
    if fraction := fraction.rstrip("0"):
        return f"{head}.{fraction}"
    return head[:-3] if head.endswith(":00") and head.count(":") == 2 else head


@dataclass(frozen=True)
class Choice(Plain):
    """One of a few values. `choices`: their JSON texts by the text that the field sends for each."""

    choices: Mapping[str, str]
    word: str = "choice"
    control: str = "choice"

    def show(self, json: str) -> str | None:
        found = value(json)
        return next(
            (
                sent
                for sent, each in self.choices.items()
                if json == each or (found is not None and found == value(each))
            ),
            None,
        )

    def read(self, text: str) -> str:
        return self.choices.get(text, quoted(text))

    def normal(self, text: str) -> str:
        return text
