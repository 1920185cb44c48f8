"""A request to the service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_WAIT_SECONDS = 50.0  # limit of the service on the wait of one request


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """An HTTP request.

    - `wait`: seconds that the answer may take in addition to the timeout of the client.
    - `is_safe`: whether the request may be sent twice.
    - `repeat_code`: status code of a repeated request that means that an earlier one succeeded.
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    is_safe: bool = True
    repeat_code: int | None = None


def waiting(method: str, path: str, wait: float, *, query: Mapping[str, Any], **more: Any) -> ApiRequest:
    """Make a request that the service may answer after `wait` seconds, or after its limit."""
    seconds = round(min(max(wait, 0.0), MAX_WAIT_SECONDS), 3)
    query = {**query, "wait": seconds} if seconds else query
    return ApiRequest(method=method, path=path, query=query, wait=seconds, **more)
