"""The circumstances of a trial: what the promises have to know beside the history of their task."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.history import Change, Disturbance, Row, TaskHistory

Rank = tuple[int, float, int]
SILENCING = frozenset({"freeze", "partition", "hold", "server"})
"""What may leave a row locked by somebody who says nothing."""


def rank(id: int, row: Row) -> Rank:
    """Where a task stands among those of its type: the smallest comes first."""
    return (-row.priority, row.run_at, id)


@dataclass
class Circumstances:
    """`processes` are the pids of authors; `claims` are the moments and ranks of all claims of a type."""

    lease: float = 3.0
    processes: Mapping[str, int] = field(default_factory=dict)
    disturbances: Sequence[Disturbance] = ()
    claims: Mapping[str, Sequence[tuple[float, Rank]]] = field(default_factory=dict)

    def disturbed(self, pid: int | None, since: float, until: float, *kinds: str) -> list[Disturbance]:
        """What was done to this process in that time, and within a lease before; all kinds where none is named."""
        return [
            each
            for each in self.disturbances
            if each.pid == pid
            and each.since <= until
            and since <= each.until + self.lease
            and (not kinds or kind(each) in kinds)
        ]

    def is_calm(self, since: float, until: float) -> bool:
        """Whether nobody was made silent in that time, or a lease before."""
        return not any(
            kind(each) in SILENCING and each.since <= until and since <= each.until + self.lease
            for each in self.disturbances
        )

    def wrote(self, change: Change) -> int | None:
        """The process that wrote it."""
        return self.processes.get(change.author)

    def claims_between(self, type: str, since: float, until: float) -> Sequence[tuple[float, Rank]]:
        """The claims of that type in that time."""
        claims = self.claims.get(type, ())
        return claims[bisect_left(claims, (since,)) : bisect_left(claims, (until,))]


def kind(disturbance: Disturbance) -> str:
    """`kill`, `freeze`, `partition`, `drain`, `hold`, or `server` for all that befalls the server."""
    return "server" if disturbance.action.endswith("server") else disturbance.action.partition("_")[0]


def all_claims(tasks: Iterable[TaskHistory]) -> Mapping[str, Sequence[tuple[float, Rank]]]:
    """The claims of every type, by moment."""
    claims = defaultdict(list)
    for task in tasks:
        for hold in task.holds:
            claims[hold.row.type].append((hold.claimed.moment, rank(task.id, hold.row)))
    return {type: sorted(each) for type, each in claims.items()}
