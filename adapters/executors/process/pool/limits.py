"""What a child may use before it is replaced."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes that it and the programs it has started may have in memory, and runs that it may end; None is no limit."""

    memory: int | None = None
    runs: int | None = None


UNLIMITED = Limits()
