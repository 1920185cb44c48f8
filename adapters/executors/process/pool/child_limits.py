"""Limits of a child, after which it is replaced: memory_watch.py and child/main.py enforce them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one child; None is no limit.

    - `memory`: bytes that it and the programs that it has started may have in memory.
    - `runs`: runs that may end in it.
    - `exit_seconds`: seconds that the functions which were registered with `atexit` may take after its last run.
    """

    memory: int | None = None
    runs: int | None = None
    exit_seconds: float = 20.0


UNLIMITED = Limits()
