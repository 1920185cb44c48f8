"""JSON pointers into a schema."""

from typing import Any


def resolved(pointer: str, root: Any) -> Any:
    """Return the part of the root that a pointer such as `#/$defs/Tree` leads to. Raises LookupError, TypeError."""
    found = root
    for step in steps(pointer):
        found = found[step]
    return found


def steps(pointer: str) -> list[str]:
    """Split a pointer into the names on its way."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("#").split("/")[1:]]
