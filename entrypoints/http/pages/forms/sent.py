"""The fields of a form as they were sent, and the arguments that the form begins with.

A field is filled from what was sent under its name after a prefix: `f.` is a text, `j.` a JSON text, `s.` a word that
says what an empty field stands for, `t.` the number of a kind, `z.` the zone of a time, `v.` that a text has several
values, one a line. A field for which nothing was sent is filled from the arguments with which the form begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

TEXT, JSON, SPECIAL, KIND, ZONE, SEVERAL = "f.", "j.", "s.", "t.", "z.", "v."
PREFIXES = (TEXT, JSON, SPECIAL, KIND, ZONE, SEVERAL)
NULL, EMPTY, KEEP = "null", "empty", "keep"
"""The words for what an empty field stands for."""
MAX_FIELD_CHARACTERS = 64 * 1024
"""The length up to which a value is shown. A longer one is kept as it is, unless another one is given."""
MAX_FORM_CHARACTERS = 256 * 1024
"""The length up to which values are shown in one form."""


def each_once(values: MultiDict[str, str]) -> dict[str, str]:
    """Each field with its text. Checked boxes of one field are one text, a line each."""
    return {name: "\n".join(values.getlist(name)) if name.startswith(TEXT) else text for name, text in values.items()}


class Given:
    """The fields of a form as they were sent."""

    def __init__(self, sent: Mapping[str, str]) -> None:
        self._sent = sent

    def has(self, name: str) -> bool:
        """Whether anything was sent for the field of this name."""
        return any(prefix + name in self._sent for prefix in PREFIXES)

    def get(self, prefix: str, name: str) -> str | None:
        """The text that was sent under this prefix; None if there was none."""
        return self._sent.get(prefix + name)


@dataclass
class Source:
    """The arguments that a form begins with.

    - `sent`: what was sent for the fields.
    - `has_base`: whether these are compared with those of a task.
    - `may_keep`: whether a long value may be kept without being shown.
    - `room`: how many characters of values may still be shown.
    - `sweeps`: whether fields may have several values.
    """

    sent: Given
    has_base: bool = False
    may_keep: bool = True
    room: int = MAX_FORM_CHARACTERS
    sweeps: bool = False

    def takes(self, text: str) -> bool:
        """Whether this value is shown."""
        if self.may_keep and (len(text) > MAX_FIELD_CHARACTERS or len(text) > self.room):
            return False
        self.room -= len(text)
        return True
