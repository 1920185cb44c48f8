"""The help of a field: what its values are, with the bounds that the schema names."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from application.json.text_limits import KEYWORD as LIMITS
from application.json.text_limits import described

Schema = Mapping[str, Any]
MAX_PATTERN_CHARACTERS = 100
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
}
ANY = "JSON"
_JSON = {"object": "JSON object", "array": "JSON list"}
_LENGTHS = {("minLength", "maxLength"): "character", ("minItems", "maxItems"): "item"}


def help_of(schema: Schema, branches: Sequence[Schema], words: Sequence[str]) -> str:
    """The description in a schema, then the values that it takes, in a sentence or two."""
    about = description_of(schema, branches)
    if len(words) == len(branches):
        kinds = [", ".join([word, *_limits(branch)]) for word, branch in zip(words, branches, strict=True)]
    else:
        kinds = [*words] or [_JSON.get(str(branch.get("type")), ANY) for branch in branches]
    values = " or ".join(dict.fromkeys(kinds)) or ANY
    return f"{about} {values[0].upper()}{values[1:]}.".strip()


def description_of(schema: Schema, branches: Sequence[Schema]) -> str:
    """The description in a schema, as a sentence."""
    about = next((str(each["description"]) for each in (schema, *branches) if each.get("description")), "").strip()
    return about if not about or about.endswith((".", "!", "?", ":")) else f"{about}."


def _limits(schema: Schema) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}"
    for name, words in _BOUNDS.items():
        if name in schema and not (low is not None and high is not None and name in ("minimum", "maximum")):
            yield words.format(schema[name])
    for (least, most), unit in _LENGTHS.items():
        yield from _length(schema.get(least), schema.get(most), unit)
    if schema.get("format") not in (None, "date", "time", "date-time", "decimal", "fraction"):
        yield f"as {schema['format']}"
    if "pattern" in schema:
        yield f"matching {schema['pattern'][:MAX_PATTERN_CHARACTERS]}"
    if LIMITS in schema and (limits := described(schema[LIMITS])):
        yield limits
    if schema.get("uniqueItems"):
        yield "none twice"


def _length(least: int | None, most: int | None, unit: str) -> Iterator[str]:
    if least is not None and least == most:
        yield _counted(least, unit)
    elif least and most is not None:
        yield f"{least} to {_counted(most, unit)}"
    elif least:
        yield f"at least {_counted(least, unit)}"
    elif most is not None:
        yield f"at most {_counted(most, unit)}"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
