"""What is known of a peer before it is started."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.peers import environment

Goals = tuple[float | None, float | None]
"""The ratios that must be reached, and that are aimed at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A peer, how it is set up, and what it leaves out.

    `program` is its module in `programs`, `needs` are commands that it cannot do without, `tasks` are as many as it
    drains in about two seconds, `goals` are those for so many workers.
    """

    title: str
    program: str
    settings: str
    note: str
    tasks: int
    needs: tuple[str, ...] = ()
    goals: Mapping[int, Goals] = field(default_factory=dict)

    @property
    def lacking(self) -> list[str]:
        """What it needs and this machine does not have."""
        return [command for command in self.needs if not environment.has(command)]
