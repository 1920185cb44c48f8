"""Query parameters whose names begin alike, such as `args.n` and `label.user`: together they are one field."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields


class Prefixed(fields.Dict):
    """Texts by the rest of their names. OpenAPI has only a pattern for such names."""

    def __init__(self, prefix: str, description: str, example: str, pattern: str = ".+", **options: Any) -> None:
        escaped = prefix.replace(".", r"\.")
        super().__init__(
            data_key=f"{prefix}*",
            metadata={
                "description": description,
                "additionalProperties": {"type": "string"},
                "allOf": [{"propertyNames": {"pattern": rf"^{escaped}(?!\*\[){pattern}$"}}],
                # Without a default Swagger UI invents a parameter and sends it unasked.
                "default": {},
            },
            **options,
        )
        self.prefix, self.example = prefix, example


def collected(sent: Mapping[str, Any], declared: Mapping[str, fields.Field[Any]]) -> dict[str, Any]:
    """Collect the parameters of each prefixed field in one.

    Raises ValidationError: one has no name behind its prefix.
    """
    kept = dict(sent)
    for field in declared.values():
        if isinstance(field, Prefixed) and (given := _given(sent, field)):
            kept = {name: kept[name] for name in kept if not name.startswith(field.prefix)}
            kept[f"{field.prefix}*"] = given
    return kept


def _given(sent: Mapping[str, Any], field: Prefixed) -> dict[str, Any]:
    given = {name.removeprefix(field.prefix): sent[name] for name in sent if name.startswith(field.prefix)}
    for name in given:
        # Some generated clients send the placeholder of the document with the name in brackets.
        if name.startswith("*[") or not name:
            raise ValidationError(f"Must have a name, as in {field.example}.", f"{field.prefix}{name}")
    return given
