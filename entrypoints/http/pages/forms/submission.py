"""The form of a task: the fields of its arguments, or all of them as one JSON text, and its options."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from application.json.errors import NotJson, UnkeepableJson
from application.json.parsing import parse
from application.ports.published_types import PublishedType
from application.view import View
from domain.idempotency_key import sent_key
from domain.ids import IdempotencyKey, TaskId
from entrypoints.http.pages.forms.changes import changed_arguments
from entrypoints.http.pages.forms.errors import place_errors
from entrypoints.http.pages.forms.filled import FilledField
from entrypoints.http.pages.forms.filling import fill, may_sweep
from entrypoints.http.pages.forms.options import PREFIX, FilledOptions
from entrypoints.http.pages.forms.pieces import laid_out, members
from entrypoints.http.pages.forms.schema import form_of
from entrypoints.http.pages.forms.sent import JSON, KIND, SEVERAL, SPECIAL, TEXT, Given, Source
from entrypoints.http.pages.forms.sweep import MAX_BYTES, PRODUCT, ZIP, Sweep

WHOLE, FROM, RENDERED = "json", "from", "rendered"
"""The names of the field for all arguments as JSON, of the origin, and of the mark that each rendered form has."""
SWEEPS, HOW, COUNT = "sweep", "how", "count"
"""The names of the field that lets fields have several values, of how they are combined, and of the number shown."""
LEFT_OUT = "none"
KEY_PREFIX = "form of the dashboard "
"""The beginning of a key that a form has made. Pages do not show such keys."""
MAX_ADDRESS_CHARACTERS = 6_000
MAX_WHOLE_CHARACTERS = 1024 * 1024
"""The length up to which all arguments can be edited as one text."""
_RENDERED = re.compile(r"[0-9a-f]{32}")


def typed_key(key: IdempotencyKey | None) -> IdempotencyKey | None:
    """The key of a task, unless a form has made it."""
    return None if key is None or key.startswith(KEY_PREFIX) else sent_key(key)


@dataclass
class SubmissionForm:
    """A filled form.

    - `whole`: all arguments as one text, where they are edited as such.
    - `errors`: sentences that are about no field.
    - `rendered`: a mark of this rendering, so that a form that is sent twice is one task.
    - `sweeps`: whether fields may have several values; `how` these are combined.
    - `confirmed`: the number of tasks that the button named when it was pressed, as it was sent.
    """

    published: PublishedType
    origin: View | None
    root: FilledField
    options: FilledOptions
    whole: str | None
    rendered: str
    errors: list[str] = field(default_factory=list)
    sweeps: bool = False
    how: str = PRODUCT
    confirmed: str = ""

    @classmethod
    def of(cls, published: PublishedType, sent: Mapping[str, str], origin: View | None) -> "SubmissionForm":
        """Fill the form with what was sent, or with the arguments of the task that is to be run again."""
        base, whole = origin.stored.args if origin else None, sent.get(WHOLE)
        start = base if whole is None else whole
        sweeps = SWEEPS in sent and whole is None
        source = Source(Given(sent), base is not None, may_keep=whole is None, sweeps=sweeps)
        root = fill(form_of(published.type.schema), start, base, source)
        options = FilledOptions.of(sent)
        if origin and RENDERED not in sent and not options.texts:
            options = FilledOptions.again(origin.task, published.type)
        mark = sent.get(RENDERED, "")
        rendered = mark if _RENDERED.fullmatch(mark) else uuid4().hex
        how, confirmed = ZIP if sent.get(HOW) == ZIP else PRODUCT, sent.get(COUNT, "")
        return cls(published, origin, root, options, whole, rendered, [], sweeps, how, confirmed)

    @property
    def base(self) -> str | None:
        """The arguments of the task that is to be run again."""
        return self.origin.stored.args if self.origin else None

    @property
    def json(self) -> str:
        """The arguments as JSON text. Those that are not changed are those of the task that is run again."""
        if self.whole is None:
            return self.root.json or "{}"
        text = self.whole.replace("\r\n", "\n").strip()
        return self.base if self.base is not None and text == laid_out(self.base) else text or "{}"

    @property
    def origin_id(self) -> TaskId | None:
        """The task that is to be run again."""
        return self.origin.task.id if self.origin else None

    @property
    def fields(self) -> list[FilledField]:
        """All fields, those in others too."""
        return [each for each in self.root.walk() if each.field.path]

    @property
    def may_sweep(self) -> bool:
        """Whether any of its fields may have several values."""
        return self.whole is None and any(may_sweep(each.kind) for each in self.fields)

    @property
    def sweep(self) -> Sweep:
        """The fields that have several values."""
        return Sweep([each for each in self.fields if each.values is not None], self.how)

    @property
    def count(self) -> int | None:
        """The number of tasks that it submits; None where it has a mistake."""
        return None if self.has_errors or any(self.sweep.mistakes) else self.sweep.count

    @property
    def wrong(self) -> list[FilledField]:
        """The fields that have errors."""
        return [each for each in self.fields if each.errors] if self.whole is None else []

    @property
    def has_errors(self) -> bool:
        """Whether anything is known to be wrong."""
        return bool(self.errors or self.wrong or self.options.errors)

    @property
    def has_broken_text(self) -> bool:
        """Whether a text is no JSON, so that the arguments have no JSON text."""
        return any(each.is_broken for each in self.fields) if self.whole is None else any(_mistakes(self.json))

    @property
    def changed(self) -> list[str]:
        """The arguments that differ from those of the task that is to be run again, by their paths."""
        if self.base is None:
            return []
        if self.whole is not None:
            return [each.path for each in changed_arguments(self.base, self.json)]
        return [each.field.title for each in self.fields if not each.parts and each.is_changed()]

    @property
    def may_be_whole(self) -> bool:
        """Whether all arguments can be edited as one text."""
        return len(self.json) <= MAX_WHOLE_CHARACTERS

    def key(self) -> IdempotencyKey:
        """The key that was typed, or one of this rendering and all values: a form that is sent twice is one task."""
        swept = [(self.how, each.field.name, *(each.values or ())) for each in self.sweep.fields]
        values = repr((self.published.type.name, self.json, sorted(self.options.texts.items()), *swept))
        digest = blake2b(values.encode(errors="surrogatepass"), digest_size=16).hexdigest()
        return self.options.key or IdempotencyKey(f"{KEY_PREFIX}{self.rendered} {digest}")

    def check_length(self, max_bytes: int) -> None:
        """Note an error if what was typed has more bytes than the API accepts. What the origin has is not counted."""
        if len(self.json.encode(errors="replace")) - len((self.base or "").encode()) > max_bytes:
            self.errors.append(f"The arguments have more than {max_bytes} bytes.")

    def check_sweep(self) -> None:
        """Note an error if its fields cannot be combined, or if all tasks together are too large."""
        self.errors += self.sweep.mistakes
        if not self.errors and self.sweep.count * len(self.json.encode(errors="replace")) > MAX_BYTES:
            self.errors.append(f"The arguments of all tasks have more than {MAX_BYTES:,} bytes.")

    def place(self, errors: Mapping[str, Any]) -> None:
        """Note the errors of an answer of the API at their fields."""
        self.options.place_errors(errors)
        by_path = errors.get("json", {})
        if self.whole is None:
            self.errors += place_errors(self.root, by_path)
        else:
            self.errors += [f"{path}: {sentence}" for path, sentences in by_path.items() for sentence in sentences]

    def as_whole(self) -> None:
        """Edit all arguments as one text."""
        self.whole, self.sweeps = laid_out(self.json), False

    def as_fields(self) -> None:
        """Edit the arguments in fields, unless their text is no JSON object."""
        if self.whole is None:
            return
        mistakes = [*_mistakes(self.whole)]
        if mistakes:
            self.errors += mistakes
            return
        source = Source(Given({}), self.base is not None, may_keep=False)
        self.root = fill(form_of(self.published.type.schema), self.json, self.base, source)
        self.whole = None

    def query(self) -> dict[str, str | list[str] | None] | None:
        """The query of the address that fills the form like this; None if it were too long."""
        filled: dict[str, str | list[str] | None] = {FROM: str(self.origin_id) if self.origin_id else None}
        if self.whole is None:
            for each in self.fields:
                filled |= _parameters(each, self.origin is not None)
        else:
            filled[WHOLE] = self.whole
        if self.sweeps:
            filled |= {SWEEPS: "1", HOW: ZIP if self.how == ZIP else None}
        filled |= {PREFIX + name: text for name, text in self.options.texts.items()}
        is_long = sum(len(name) + len(value or "") for name, value in filled.items()) > MAX_ADDRESS_CHARACTERS
        return None if is_long else filled


def _parameters(filled: FilledField, has_origin: bool) -> dict[str, str]:
    """The parameters that fill a field; none for one that the origin fills, or that is empty."""
    name, is_plain = filled.field.name, filled.kind is not None
    if filled.parts and not filled.special:
        return {}
    if has_origin and not filled.is_changed() and not filled.errors:
        return {}
    if has_origin and filled.json is None and not filled.text:
        return {SPECIAL + name: LEFT_OUT}
    kinds = filled.field.kinds
    kind = (
        {KIND + name: str(kinds.index(filled.kind))} if filled.kind in kinds and len(kinds) > 1 and filled.text else {}
    )
    texts = {(TEXT if is_plain else JSON) + name: filled.text, SPECIAL + name: filled.special}
    texts[SEVERAL + name] = "1" if filled.is_several else ""
    return {key: text for key, text in texts.items() if text} | kind


def _mistakes(text: str) -> Iterator[str]:
    """Why a text cannot be the arguments of a task."""
    try:
        parse(text)
    except NotJson as error:
        yield f"The text is not JSON: {error}"
    except UnkeepableJson as error:
        yield str(error)
    else:
        if members(text) is None:
            yield "The arguments must be a JSON object."
