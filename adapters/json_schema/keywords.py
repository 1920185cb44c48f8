"""The keywords that our schemas have beside those of JSON Schema."""

from collections.abc import Mapping
from typing import Any

from application.json import arrays, text_limits


class Array:
    """An array of numbers: lists of equal lengths, nested or not."""

    def __init__(self, parent_schema: Mapping[str, Any], value: Any, schema_path: object) -> None:
        self._item = value

    def validate(self, instance: Any) -> None:
        """Raises ValueError: it is no such array."""
        if not arrays.is_array(instance, self._item):
            raise ValueError(f"it is not {_described(self._item)}, in lists of equal lengths")


def _described(item: Mapping[str, Any]) -> str:
    bounds = f" from {item['minimum']} to {item['maximum']}" if "minimum" in item else ""
    return f"an array of items of type {item['type']}{bounds}"


class Limits:
    """The limits of a value that is read from a text."""

    def __init__(self, parent_schema: Mapping[str, Any], value: Any, schema_path: object) -> None:
        self._limits = value

    def validate(self, instance: Any) -> None:
        """Raises ValueError: it does not keep them."""
        if not text_limits.keeps_in_json(self._limits, instance):
            raise ValueError(f"it is not {text_limits.described(self._limits)}")


KEYWORDS: dict[str, Any] = {arrays.KEYWORD: Array, text_limits.KEYWORD: Limits}
