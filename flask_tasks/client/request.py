"""What a client asks of the service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A method and a path, and what goes with them. The answer may take `wait` seconds longer than others.

    `is_safe` if it may be sent twice; `done_before` is the status that then says that the first one was carried out.
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    is_safe: bool = True
    done_before: int | None = None
