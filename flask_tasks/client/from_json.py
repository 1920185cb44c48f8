"""What answers show as objects becomes dataclasses."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def made(kind: type[T], shown: Mapping[str, Any], **parts: Any) -> T:
    """One of this kind, with the members that are its fields, and these parts in their place; there may be others.

    LookupError or TypeError where something else is shown.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: parts[name] if name in parts else shown[name] for name in names})


def made_if_any(kind: type[T], shown: Mapping[str, Any] | None) -> T | None:
    """The same; None where nothing is shown."""
    return None if shown is None else made(kind, shown)
