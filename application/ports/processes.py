"""Processes: whether the end of one can be seen from here."""

from typing import Protocol


class Processes(Protocol):
    """Those of this machine, by names that no two of them ever have, here or elsewhere."""

    def own(self) -> str | None:
        """The name of this process; None where the system has no way to tell."""
        ...

    def has_ended(self, process: str) -> bool:
        """Whether it is certain that it has. Of one on another machine, nothing is."""
        ...
