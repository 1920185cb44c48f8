"""Processes: names of the processes of this machine, and whether one has ended."""

from typing import Protocol


class Processes(Protocol):
    """Processes by names that are unique among all processes of all machines, past ones included."""

    def own(self) -> str | None:
        """The name of this process; None if the system does not provide one."""
        ...

    def has_ended(self, process: str) -> bool:
        """Whether the process has certainly ended. False for one of another machine."""
        ...
