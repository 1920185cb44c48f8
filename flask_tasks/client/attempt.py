"""A start of a task, as its log shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A start that failed, was lost or printed something. Times are in Unix seconds."""

    claim: int
    attempt: int
    outcome: str
    started: float | None
    ended: float
    error: str | None
    traceback: str | None
    log: str

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Self:
        """What an answer shows. It may hold more than this."""
        return cls(**{field.name: shown[field.name] for field in fields(cls)})
