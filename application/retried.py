"""Trying again where others changed the same at the same time: nothing was written then."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from application.errors import StorageConflict

P = ParamSpec("P")
T = TypeVar("T")
TRIES = 4


def retried(verb: Callable[P, T]) -> Callable[P, T]:
    """The same verb, repeated after a StorageConflict; the last one is raised."""

    @wraps(verb)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(TRIES - 1):
            try:
                return verb(*args, **kwargs)
            except StorageConflict:
                continue
        return verb(*args, **kwargs)

    return again
