"""Retries after conflicts, in which other transactions changed the same rows and nothing was written."""

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
"""The number of tries, and the seconds after the first conflict in which another try may begin.

Conflicts between the same transactions may recur, and waiting for a lock that is held long takes time in each try.
"""
MAX_PAUSE_SECONDS = 0.02
"""Seconds of the longest pause. Pauses are random, so that transactions that met do not meet again."""


def retry_on_conflict(function: Callable[P, T]) -> Callable[P, T]:
    """The same function, called again after a StorageConflict; the last one is raised."""

    @wraps(function)
    def retrying(*args: P.args, **kwargs: P.kwargs) -> T:
        until = inf
        for _ in range(MAX_TRIES - 1):
            try:
                return function(*args, **kwargs)
            except StorageConflict:
                until = min(until, monotonic() + MAX_SECONDS)
                if monotonic() > until:
                    raise
                sleep(random.uniform(0, MAX_PAUSE_SECONDS))
        return function(*args, **kwargs)

    return retrying
