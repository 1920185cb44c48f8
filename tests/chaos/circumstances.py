"""The circumstances of an experiment: the facts that promises need beside the history of their task."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.history import Change, Fault, Row, TaskHistory

Rank = tuple[int, float, int]
SILENCING = frozenset({"freeze", "partition", "hold", "server"})
"""The kinds of fault that may leave a row locked by a process that does not respond."""


def rank(id: int, row: Row) -> Rank:
    """The order in which tasks of a type are claimed: the smallest rank first."""
    return (-row.priority, row.run_at, id)


@dataclass
class Circumstances:
    """The facts that all tasks of an experiment share.

    - `lease`: its seconds.
    - `pids`: the pid of each author of changes.
    - `faults`: the faults of the experiment.
    - `claims`: the moment and rank of every claim, by type.
    """

    lease: float = 3.0
    pids: Mapping[str, int] = field(default_factory=dict)
    faults: Sequence[Fault] = ()
    claims: Mapping[str, Sequence[tuple[float, Rank]]] = field(default_factory=dict)

    def faults_of(self, pid: int | None, since: float, until: float, *kinds: str) -> list[Fault]:
        """The faults of a process in that time, or within a lease before it; of all kinds where none is named."""
        return [
            each
            for each in self.faults
            if each.pid == pid
            and each.since <= until
            and since <= each.until + self.lease
            and (not kinds or kind(each) in kinds)
        ]

    def is_responsive(self, since: float, until: float) -> bool:
        """Whether no fault silenced a process or the server in that time, or within a lease before it."""
        return not any(
            kind(each) in SILENCING and each.since <= until and since <= each.until + self.lease for each in self.faults
        )

    def author_pid(self, change: Change) -> int | None:
        """The pid of the process that wrote the change."""
        return self.pids.get(change.author)

    def claims_between(self, type: str, since: float, until: float) -> Sequence[tuple[float, Rank]]:
        """The claims of a type in that time."""
        claims = self.claims.get(type, ())
        return claims[bisect_left(claims, (since,)) : bisect_left(claims, (until,))]


def kind(fault: Fault) -> str:
    """`kill`, `freeze`, `partition`, `drain`, `hold`, or `server` for every fault of the server."""
    return "server" if fault.action.endswith("server") else fault.action.partition("_")[0]


def all_claims(tasks: Iterable[TaskHistory]) -> Mapping[str, Sequence[tuple[float, Rank]]]:
    """The claims of every type, in the order of their moments."""
    claims = defaultdict(list)
    for task in tasks:
        for hold in task.holds:
            claims[hold.row.type].append((hold.claimed.moment, rank(task.id, hold.row)))
    return {type: sorted(each) for type, each in claims.items()}
