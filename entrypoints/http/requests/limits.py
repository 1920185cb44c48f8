"""Limits in the body of a request."""

from collections.abc import Mapping
from typing import Any

from application.errors import InvalidLimits
from domain.errors import InvalidOption
from domain.limits import Override


def override_of(limits: Mapping[str, Any]) -> Override | None:
    """Make the override with these limits; None without any.

    Raises InvalidLimits: some are unknown or out of bounds, each of which is named.
    """
    # JSON Schema accepts 1.0 as an integer.
    whole = {name: int(value) if _is_whole(value) else value for name, value in limits.items()}
    if errors := {f"$.{name}": [reason] for name, value in whole.items() if (reason := _error(name, value))}:
        raise InvalidLimits(errors)
    return Override(whole) if whole else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _error(name: str, value: Any) -> str | None:
    try:
        Override({name: value})
    except InvalidOption as error:
        return f"it must be {error.expected}"
    return None
