"""Filling: each field of a form from what was sent for it, or from the arguments that the form begins with."""

from collections.abc import Iterator, Mapping

from application.json.errors import NotJson, UnkeepableJson
from application.json.parsing import parse
from entrypoints.http.pages.forms.fields import Field, Group
from entrypoints.http.pages.forms.filled import FilledField, FilledGroup
from entrypoints.http.pages.forms.kinds import Choice, Kind, Number, Text
from entrypoints.http.pages.forms.pieces import is_object, joined, members, quoted
from entrypoints.http.pages.forms.sent import (
    EMPTY,
    JSON,
    KEEP,
    KIND,
    MAX_FIELD_CHARACTERS,
    NULL,
    SEVERAL,
    SPECIAL,
    TEXT,
    ZONE,
    Given,
    Source,
)
from entrypoints.http.pages.forms.sweep_values import NotSwept, several_lines, several_numbers

MAX_BOXES = 30
"""Choices up to which each has a box of its own, so that several can be checked."""


def fill(part: Field, start: str | None, base: str | None, source: Source) -> FilledField:
    """Fill a field.

    - `start`: the JSON text that it begins with.
    - `base`: the JSON text to which its value is compared: one that is not changed stays as it is.
    """
    filled = _filled(part, start, base, source)
    filled.may_sweep = source.sweeps and may_sweep(filled.kind)
    return filled


def may_sweep(kind: Kind | None) -> bool:
    """Whether a field of this kind may have several values."""
    return isinstance(kind, Number | Text) or (isinstance(kind, Choice) and len(kind.choices) <= MAX_BOXES)


def _filled(part: Field, start: str | None, base: str | None, source: Source) -> FilledField:
    is_shown = start is None or (start == NULL and part.takes_null) or is_object(start)
    if isinstance(part, Group) and is_shown and source.sent.get(JSON, part.name) is None:
        return _group(part, start, base, source)
    if not source.sent.has(part.name):
        return _from_json(part, start, base, source)
    text = source.sent.get(JSON, part.name)
    return _from_text(part, base, source) if text is None else _from_json_text(part, base, text, source.sent)


def _group(group: Group, start: str | None, base: str | None, source: Source) -> FilledGroup:
    """Fill the fields of an object."""
    bases = members(base) or {}
    starts = dict(bases) if start is base else members(start) or {}
    filled = [fill(part, starts.pop(part.key, None), bases.get(part.key), source) for part in group.parts]
    further, keys = _further(group, starts, bases, source), {part.key for part in group.parts}
    found = {each.field.key: each.json for each in filled if each.json is not None}
    for key, text in (members(further.json) or {}).items() if further else ():
        if further and key in keys:
            further.errors.append(f"{key} has a field of its own")
        found.setdefault(key, text)
    special = source.sent.get(SPECIAL, group.name) if source.sent.has(group.name) else start
    whole = FilledGroup(group, base, filled=[*filled, *([further] if further else [])])
    whole.special = NULL if special == NULL else ""
    whole.json = _joined(whole, found, bases, source.has_base)
    return whole


def _joined(whole: FilledGroup, found: Mapping[str, str], bases: Mapping[str, str], has_base: bool) -> str | None:
    """The text of the object, its members in the order that they had at first."""
    if found:
        ordered = {key: found[key] for key in [*(key for key in bases if key in found), *found]}
        return whole.base if ordered == bases else joined(ordered)
    if whole.special == NULL and whole.field.takes_null:
        return "null"
    if has_base and not bases and (whole.base is None or is_object(whole.base)):
        return whole.base
    return "{}" if whole.field.is_required or not whole.field.path else None


def _further(group: Group, starts: Mapping[str, str], bases: Mapping[str, str], source: Source) -> FilledField | None:
    """The field for members that have no field, where there are such, or may be."""
    part, keys = group.further, {part.key for part in group.parts}
    others = {key: text for key, text in bases.items() if key not in keys}
    if not (group.is_open or starts or source.sent.has(part.name)):
        return None
    filled = fill(part, joined(starts) if starts else None, joined(others) if others else None, source)
    if filled.json is not None and not filled.errors and members(filled.json) is None:
        filled.errors.append("must be a JSON object")
    return filled


def _from_json(part: Field, start: str | None, base: str | None, source: Source) -> FilledField:
    first = part.kinds[0] if part.kinds else None
    if start is None:
        return FilledField(part, base, kind=first)
    if start == "null" and part.takes_null:
        return FilledField(part, base, start, kind=first, special=NULL, text=_null_choice(first))
    if not source.takes(start):
        return FilledField(part, base, start, kind=first, special=KEEP)
    for kind in part.kinds:
        text = kind.show(start)
        if text is not None and (kind.normal(text) or kind.empty):
            return FilledField(part, base, start, text, kind, "" if kind.normal(text) else EMPTY)
    return FilledField(part, base, start, start)


def _null_choice(kind: Kind | None) -> str:
    return NULL if kind and kind.control == "choice" else ""


def _from_json_text(part: Field, base: str | None, text: str, sent: Given) -> FilledField:
    normal = text.replace("\r\n", "\n").strip()
    filled = FilledField(part, base, text=text, special=sent.get(SPECIAL, part.name) or "")
    if not normal:
        filled.json = _special(filled, None)
    elif base is not None and normal == base.strip():
        filled.json = base
    else:
        filled.json = normal
        filled.errors += json_mistakes(normal)
        filled.is_broken = bool(filled.errors)
    return filled


def json_mistakes(text: str) -> Iterator[str]:
    """Why a text cannot be the JSON text of a value."""
    try:
        parse(text)
    except NotJson as error:
        yield f"is not JSON: {error}"
    except UnkeepableJson as error:
        yield f"{error.path.removeprefix('$').removeprefix('.')}: {error.why}".removeprefix(": ")


def _from_text(part: Field, base: str | None, source: Source) -> FilledField:
    sent = source.sent
    text, zone = sent.get(TEXT, part.name) or "", sent.get(ZONE, part.name) or ""
    kind = _kind(part, text, sent.get(KIND, part.name))
    if kind is None:
        return _from_json_text(part, base, text, sent)
    text += zone.strip() if kind.normal(text) else ""
    filled = FilledField(part, base, text=text, kind=kind, special=sent.get(SPECIAL, part.name) or "")
    if source.sweeps and _sweeps(filled, kind, sent.get(SEVERAL, part.name) is not None):
        return filled
    shown = _shown(base, kind)
    if not kind.normal(text):
        filled.json = _special(filled, kind)
    elif part.takes_null and text == NULL and kind.control == "choice":
        filled.json = NULL
    elif shown is not None and kind.normal(shown) == kind.normal(text):
        filled.json = base
    else:
        filled.json = kind.read(text)
    return filled


def _sweeps(filled: FilledField, kind: Kind, is_several: bool) -> bool:
    """Whether a field has several values, which are noted, or would have them if it had no mistakes."""
    try:
        match kind:
            case Number():
                filled.values = several_numbers(filled.text, kind)
            case Text() if is_several:
                filled.is_several = True
                filled.values = several_lines(filled.text, kind) or None
            case Choice() if "\n" in filled.text.strip():
                lines = several_lines(filled.text, kind)
                filled.values = [NULL if filled.field.takes_null and each == quoted(NULL) else each for each in lines]
    except NotSwept as error:
        filled.errors.append(str(error))
    filled.errors += dict.fromkeys(mistake for value in filled.values or () for mistake in json_mistakes(value))
    filled.is_broken = bool(filled.errors)
    if filled.values:
        filled.json = filled.values[0]
    return filled.is_broken or filled.values is not None


def _kind(part: Field, text: str, number: str | None) -> Kind | None:
    """The kind that was chosen, or the first one that takes the text."""
    if number in {str(nth) for nth in range(len(part.kinds))}:
        return part.kinds[int(number or 0)]
    takes = (each for each in part.kinds if each.show(each.read(text)) is not None and each.read(text) != quoted(text))
    return next(takes, part.kinds[-1] if part.kinds else None)


def _shown(base: str | None, kind: Kind) -> str | None:
    """The text that the field had at first, if it had one."""
    return kind.show(base) if base is not None and len(base) <= MAX_FIELD_CHARACTERS else None


def _special(filled: FilledField, kind: Kind | None) -> str | None:
    """The JSON text of an empty field; None if it is left out."""
    match filled.special:
        case "keep":
            if filled.base is None:
                filled.errors.append("the task that had this value is deleted: give the value again")
            return filled.base
        case "null" if filled.field.takes_null:
            return NULL
        case "empty" if kind and kind.empty:
            shown = _shown(filled.base, kind)
            return kind.empty if shown is None or kind.normal(shown) else filled.base
    filled.special = ""
    return None
