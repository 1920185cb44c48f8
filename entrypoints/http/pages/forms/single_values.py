"""The kinds of fields for single values, chosen by their schemas."""

from collections.abc import Mapping, Sequence
from typing import Any

from application.json.text import dump
from application.json.text_limits import KEYWORD as LIMITS
from entrypoints.http.pages.forms.kinds import Choice, Kind, Moment, Number, Text

Schema = Mapping[str, Any]
MAX_CHOICES = 500
MAX_SINGLE_LINE_CHARACTERS = 200
_DECIMAL_FORMATS = frozenset({"decimal", "fraction"})
_SHORT_FORMATS = {"email": "email", "uri": "url"}


def words_of(schema: Schema) -> list[str]:
    """The texts that are the only values of a schema."""
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return values if all(isinstance(each, str) for each in values) else []


def number_kinds(plain: Sequence[Kind], words: Sequence[str]) -> list[Kind]:
    """One kind for all numbers, with words that may stand in place of one."""
    found = [each for each in plain if isinstance(each, Number)]
    if not found:
        return []
    word = next((each.word for each in found if each.word == "number"), found[0].word)
    return [Number(word, "text" if words else found[0].inputmode, tuple(words))]


def choice_kind(schema: Schema) -> Kind | None:
    """The kind for one of a few values; None if they are too many."""
    values = schema.get("enum", [schema.get("const")])
    texts = [dump(each) for each in values]
    if len(texts) > MAX_CHOICES:
        return None
    return Choice({_sent(each, text, texts): text for each, text in zip(values, texts, strict=True)})


def _sent(value: Any, text: str, texts: Sequence[str]) -> str:
    """The text that the field sends for a choice: a text as it is, unless another choice has the same."""
    is_plain = isinstance(value, str) and value.strip() == value != "" and value not in (*texts, "null")
    return value if is_plain else text


def inputmode(schema: Schema, mode: str) -> str:
    """The keyboard for a number: this one, unless the number may be below zero."""
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1))
    return mode if low >= 0 else "text"


def text_kind(schema: Schema) -> Kind:
    """The kind for a string, by its format and length."""
    format = schema.get("format", "")
    if format in ("date", "date-time", "time"):
        zone = schema.get(LIMITS, {}).get("tz_constraint")
        return Moment(format, None if format == "date" or zone == "naive" else "" if format == "time" else "Z")
    if format in _DECIMAL_FORMATS:
        return Text(format, "line", None, takes_numbers=format == "decimal", inputmode="text")
    if format:
        return Text("text", "line", None, inputmode=_SHORT_FORMATS.get(format, "text"))
    is_short = schema.get("maxLength", MAX_SINGLE_LINE_CHARACTERS) < MAX_SINGLE_LINE_CHARACTERS or "pattern" in schema
    return Text("text", "line" if is_short else "lines", None if schema.get("minLength") else '""')
