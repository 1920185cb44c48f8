"""The description of a peer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.peers import environment

Goals = tuple[float | None, float | None]
"""The required ratio and the aim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A peer with its settings.

    - `program`: its module in `programs`
    - `note`: the features that it lacks
    - `tasks`: the number of tasks that it drains in about two seconds
    - `needs`: commands that it requires
    - `goals`: the goals by number of workers
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
        """The needed commands that this machine does not have."""
        return [command for command in self.needs if not environment.has(command)]
