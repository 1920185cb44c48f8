"""Dataclasses made from JSON objects of answers."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def from_json(kind: type[T], data: Mapping[str, Any], **parts: Any) -> T:
    """Make a dataclass from the members of an object that are its fields; other members are ignored.

    - `parts`: values of fields that replace those of the object.
    - Raises LookupError, TypeError: the object lacks a field, or is not an object.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: parts[name] if name in parts else data[name] for name in names})


def from_json_or_none(kind: type[T], data: Mapping[str, Any] | None) -> T | None:
    """Make a dataclass from an object, or None from null."""
    return None if data is None else from_json(kind, data)
