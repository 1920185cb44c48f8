"""The fields of a form, made from the JSON Schema of a type. A value that has no field of its own is one JSON field."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from application.json.arrays import KEYWORD as ARRAY
from application.json.text import dump
from entrypoints.http.openapi.pointers import resolved
from entrypoints.http.pages.forms.fields import Field, Group, Path
from entrypoints.http.pages.forms.help import description_of, help_of
from entrypoints.http.pages.forms.kinds import WHOLE_NUMBER, Choice, Kind, Moment, Number, Text
from entrypoints.http.pages.forms.lists import Lines, Numbers, Rows
from entrypoints.http.pages.forms.single_values import choice_kind, inputmode, number_kinds, text_kind, words_of

MAX_DEPTH = 4
"""Objects in objects that are fieldsets. Deeper ones are JSON fields."""
MAX_FIELDS = 300
Schema = Mapping[str, Any]


@lru_cache(maxsize=200)
def form_of(schema: str) -> Group:
    """The form for the arguments of a type with this schema."""
    try:
        root = json.loads(schema)
    except ValueError:
        root = {}
    return _Builder(root if isinstance(root, dict) else {}).form()


class _Builder:
    """Builds the form of one schema. A part that is no valid schema becomes a JSON field."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._fields = 0

    def form(self) -> Group:
        schema = self._flat(self._root)
        group = self._group(schema, Field((), ""), ()) if schema.get("properties") else None
        return group or Group((), "", is_open=True)

    def _part(self, key: str, schema: Any, is_required: bool, parent: Path, seen: tuple[str, ...]) -> Field:
        self._fields += 1
        field = Field((*parent, key), key, is_required=is_required)
        try:
            return self._described(field, schema if isinstance(schema, dict) else {}, seen)
        except (LookupError, TypeError, ValueError, AttributeError):
            return field

    def _described(self, field: Field, schema: Schema, seen: tuple[str, ...]) -> Field:
        flat = self._flat(schema)
        branches = [self._flat(each) for each in _branches(flat)]
        takes_null = any(_is_null(each) for each in branches)
        others = [each for each in branches if not _is_null(each)]
        kinds = self._kinds(others)
        field = replace(
            field,
            kinds=kinds,
            takes_null=takes_null,
            help=_help(flat, others, kinds),
            default=dump(flat["default"]) if "default" in flat else None,
        )
        is_object = len(others) == 1 and others[0].get("properties")
        group = self._group(others[0], field, seen) if is_object else None
        return replace(group, help=description_of(flat, others)) if group else field

    def _group(self, schema: Schema, field: Field, seen: tuple[str, ...]) -> Group | None:
        reference = schema.get("$ref-of")
        if len(field.path) >= MAX_DEPTH or reference in seen or self._fields >= MAX_FIELDS:
            return None
        inner, required = (*seen, reference) if reference else seen, set(schema.get("required", ()))
        return Group(
            **{name: getattr(field, name) for name in Field.__dataclass_fields__},
            parts=tuple(
                self._part(key, each, key in required, field.path, inner)
                for key, each in schema["properties"].items()
                if each is not False
            ),
            is_open=bool(schema.get("additionalProperties", not field.path)),
        )

    def _kinds(self, branches: Sequence[Schema]) -> tuple[Kind, ...]:
        """The kinds for these branches; none if one of them needs JSON."""
        if len(branches) == 1:
            kind = self._kind(branches[0])
            return (kind,) if kind else ()
        words = [choice for each in branches for choice in words_of(each)]
        kinds = list(dict.fromkeys(self._kind(each) for each in branches if not words_of(each)))
        if None in kinds or not all(
            isinstance(each, Number | Text | Moment | Numbers | Rows | Lines) for each in kinds
        ):
            return ()
        plain = [Text("text", "line") if isinstance(each, Moment) else each for each in kinds if each]
        if any(isinstance(each, Text) and each.takes_numbers for each in plain):
            return tuple(each for each in plain if not isinstance(each, Number))
        plain = [each for each in plain if not isinstance(each, Number)] + number_kinds(plain, words)
        return tuple(sorted(plain, key=lambda each: not isinstance(each, Number)))

    def _kind(self, schema: Schema) -> Kind | None:
        if "enum" in schema or "const" in schema:
            return choice_kind(schema)
        match schema.get("type"):
            case "boolean":
                return Choice({"true": "true", "false": "false"}, "true or false")
            case "integer":
                return Number(WHOLE_NUMBER, inputmode(schema, "numeric"))
            case "number":
                return Number("number", inputmode(schema, "decimal"))
            case "string":
                return text_kind(schema)
            case "array":
                return self._list(schema)
        return None

    def _list(self, schema: Schema) -> Kind | None:
        if ARRAY in schema:
            return Rows(may_be_flat=True) if schema[ARRAY].get("type") in ("number", "integer") else None
        empty = None if schema.get("minItems") else "[]"
        if "prefixItems" in schema:
            return Numbers(empty=empty) if all(map(self._is_number, schema["prefixItems"])) else None
        items = self._flat(schema.get("items", {}))
        if self._is_number(items):
            return Numbers(empty=empty)
        if items.get("type") == "string":
            return Lines(empty=empty)
        return Rows(empty=empty) if items.get("type") == "array" and self._is_number(items.get("items", {})) else None

    def _is_number(self, schema: Any) -> bool:
        branches = [self._flat(each) for each in _branches(self._flat(schema))]
        return all(each.get("type") in ("number", "integer") and "enum" not in each for each in branches)

    def _flat(self, schema: Any) -> Schema:
        """The schema with those parts that it refers to. `$ref-of` names the last one of these."""
        flat = dict(schema) if isinstance(schema, dict) else {}
        for _ in range(20):
            if "$ref" in flat:
                reference = flat.pop("$ref")
                flat = {**resolved(reference, self._root), **flat, "$ref-of": reference}
            elif len(flat.get("allOf", ())) == 1:
                flat = {**flat["allOf"][0], **{name: each for name, each in flat.items() if name != "allOf"}}
            else:
                break
        return flat


def _branches(schema: Schema) -> Iterator[Schema]:
    """The schemas one of which a value has to fit."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        for each in choices:
            yield from _branches(each) if isinstance(each, dict) else ()
    elif isinstance(schema.get("type"), list):
        yield from ({**schema, "type": each} for each in schema["type"])
    elif None in schema.get("enum", ()):
        yield {"type": "null"}
        yield {**schema, "enum": [each for each in schema["enum"] if each is not None]}
    else:
        yield schema


def _help(schema: Schema, branches: Sequence[Schema], kinds: Sequence[Kind]) -> str:
    """The help of a field. A choice shows its values itself."""
    is_choice = any(isinstance(kind, Choice) for kind in kinds)
    return description_of(schema, branches) if is_choice else help_of(schema, branches, [each.word for each in kinds])


def _is_null(schema: Schema) -> bool:
    return schema.get("type") == "null" or ("const" in schema and schema["const"] is None)
