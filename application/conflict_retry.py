"""Trying again where others changed the same at the same time: nothing was written then."""

import random
from collections.abc import Callable
from functools import wraps
from math import inf
from time import monotonic, sleep
from typing import ParamSpec, TypeVar

from application.errors import StorageConflict

P = ParamSpec("P")
T = TypeVar("T")
MAX_TRIES, MAX_SECONDS = 12, 3.0
"""So often, but not so long after the first: who met others may meet them again, and a lock that is kept takes time."""
MAX_PAUSE_SECONDS = 0.02
"""Seconds at most, so that two who met do not meet again."""


def retry_on_conflict(verb: Callable[P, T]) -> Callable[P, T]:
    """The same verb, repeated after a StorageConflict; the last one is raised."""

    @wraps(verb)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        until = inf
        for _ in range(MAX_TRIES - 1):
            try:
                return verb(*args, **kwargs)
            except StorageConflict:
                until = min(until, monotonic() + MAX_SECONDS)
                if monotonic() > until:
                    raise
                sleep(random.uniform(0, MAX_PAUSE_SECONDS))
        return verb(*args, **kwargs)

    return again
