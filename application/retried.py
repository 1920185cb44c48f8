"""Trying again where others changed the same at the same time: nothing was written then."""

import random
from collections.abc import Callable
from functools import wraps
from time import monotonic, sleep
from typing import ParamSpec, TypeVar

from application.errors import StorageConflict

P = ParamSpec("P")
T = TypeVar("T")
TRIES, SECONDS = 12, 4.0
"""So often, but not after so long: who met others may meet them again, and a lock that is kept takes a second a try."""
PAUSE = 0.02
"""Seconds at most, so that two who met do not meet again."""


def retried(verb: Callable[P, T]) -> Callable[P, T]:
    """The same verb, repeated after a StorageConflict; the last one is raised."""

    @wraps(verb)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        began = monotonic()
        for _ in range(TRIES - 1):
            try:
                return verb(*args, **kwargs)
            except StorageConflict:
                if monotonic() - began > SECONDS:
                    raise
                sleep(random.uniform(0, PAUSE))
        return verb(*args, **kwargs)

    return again
