"""How many tasks to claim: what the executor will start within moments, and no more.

Fast tasks come in large batches and slow ones one at a time, so that nobody waits behind a slow task while another
handler idles.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from application.supervisor.held import Held, Holdings
from domain.ids import TypeName

HORIZON = 0.1
"""Seconds of work that may be claimed ahead of a place that is, or soon will be, free."""

LIMIT = 500
MOST_BYTES = 16 * 1024 * 1024
WEIGHT = 0.2
"""How much the latest run counts in the mean duration of its type."""

SHORTEST = 1e-5


@dataclass(slots=True)
class ClaimAhead:
    """Mean durations by type, and the order in which types take turns."""

    durations: dict[TypeName, float] = field(default_factory=dict)
    turns: list[TypeName] = field(default_factory=list)

    def learn(self, type: TypeName, seconds: float) -> None:
        """A run of this type took so long."""
        mean = self.durations.get(type, seconds)
        self.durations[type] = max(mean + WEIGHT * (seconds - mean), SHORTEST)

    def offer(self, types: Iterable[TypeName]) -> None:
        """These are the types that can be run; those that were there keep their place in the turns."""
        offered = list(types)
        self.turns = [type for type in self.turns if type in offered]
        self.turns += [type for type in offered if type not in self.turns]

    def took(self, types: Iterable[TypeName]) -> None:
        """These types had a turn: they come last now, the latest last of all."""
        for type in dict.fromkeys(types):
            self.turns.remove(type)
            self.turns.append(type)

    def wanted(self, free: int, places: int, held: Holdings, now: float) -> Mapping[TypeName, int]:
        """How many of each type to claim, in the order of turns; only types of which any are wanted.

        `free` runs could be started now, in `places` of which each runs one at a time.
        """
        idle = min(free, places) - len(held.queued)
        ready = min(free + sum(self._ends_soon(each, now) for each in held.running.values()), places)
        room = HORIZON * ready - sum(self._expected(each) for each in held.not_begun())
        wanted = {type: min(max(idle, self._fitting(type, room)), LIMIT) for type in self.turns}
        return {type: number for type, number in wanted.items() if number > 0}

    def _expected(self, held: Held) -> float:
        return self.durations.get(held.task.type, HORIZON)

    def _fitting(self, type: TypeName, room: float) -> int:
        mean = self.durations.get(type, HORIZON)
        return int(room / mean) if mean < HORIZON else 0

    def _ends_soon(self, held: Held, now: float) -> bool:
        began = held.claimed_at if held.started_at is None else held.started_at
        return self._expected(held) < HORIZON and now - began < HORIZON
