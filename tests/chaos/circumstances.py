"""The circumstances of an experiment: the facts that promises need beside the history of their task."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.rate import Rate
from tests.chaos.functions import AT_ONCE, AT_ONCE_PER_LANE, RATES
from tests.chaos.history import BATCH_SEPARATOR, BatchHistory, Change, Fault, Row, TaskHistory

Rank = tuple[int, float, int]
Tick = tuple[str, float]
Group = str | tuple[str, str | None]
SCHEDULED_TYPE = "ticks"
SILENCING = frozenset({"freeze", "partition", "hold", "server", "lock", "read", "exhaust", "slow", "clock", "role"})
"""The kinds of fault that may leave a row locked by a process that does not respond, or the database unwritable."""
MAX_CLAIMS = 200
"""Claims of a type that are compared with its rate."""
CLOCK_LAG_SECONDS = 45.0
"""Seconds after a step of the database's clock in which processes may still go by the old one.

They measure it every 30 s, and later where the database is away.
"""


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
    - `ended`: the moment at which the load had ended.
    - `marks`: the mark of the task of every run, by token.
    - `keys`: by idempotency key, the times in which a task with it was in the database.
    - `batches`: the number of tasks that were written of each batch.
    - `ticks`: the number of tasks of each tick of a schedule.
    - `holds`: the moments at which holds began, and those at which they ended, each in order; by type, and by type and
      lane.
    - `at_once`, `at_once_per_lane`, `rates`: the limits of types.
    - `tasks`: the histories of all tasks by id.
    - `parents`: the ids of the parents that tasks have had.
    - `batch_histories`: the batches by id.
    - `members`: the tasks of each batch, by its id.
    """

    lease: float = 3.0
    pids: Mapping[str, int] = field(default_factory=dict)
    faults: Sequence[Fault] = ()
    claims: Mapping[str, Sequence[tuple[float, Rank]]] = field(default_factory=dict)
    ended: float = float("inf")
    marks: Mapping[str, str | None] = field(default_factory=dict)
    keys: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    batches: Mapping[str, int] = field(default_factory=dict)
    ticks: Mapping[Tick, int] = field(default_factory=dict)
    holds: Mapping[Group, tuple[Sequence[float], Sequence[float]]] = field(default_factory=dict)
    at_once: Mapping[str, int] = field(default_factory=lambda: AT_ONCE)
    at_once_per_lane: Mapping[str, int] = field(default_factory=lambda: AT_ONCE_PER_LANE)
    rates: Mapping[str, Rate] = field(default_factory=lambda: RATES)
    tasks: Mapping[int, Sequence[TaskHistory]] = field(default_factory=dict)
    parents: Mapping[int, frozenset[int]] = field(default_factory=dict)
    batch_histories: Mapping[int, BatchHistory] = field(default_factory=dict)
    members: Mapping[int, Sequence[TaskHistory]] = field(default_factory=dict)

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

    def is_clock_steady(self, since: float, until: float) -> bool:
        """Whether the clock of the database was true in that time, and for a while before it."""
        return not any(
            kind(each) == "clock" and each.since <= until and since <= each.until + CLOCK_LAG_SECONDS
            for each in self.faults
        )

    def author_pid(self, change: Change) -> int | None:
        """The pid of the process that wrote the change."""
        return self.pids.get(change.author)

    def running_at(self, group: Group, moment: float) -> int:
        """The number of tasks of a type, or of a type and lane, that were held at a moment."""
        began, ended = self.holds.get(group, ((), ()))
        return bisect_right(began, moment) - bisect_right(ended, moment)

    def claims_until(self, type: str, moment: float) -> Sequence[float]:
        """The moments of the last claims of a type until then, at most MAX_CLAIMS."""
        began, _ = self.holds.get(type, ((), ()))
        last = bisect_right(began, moment)
        return began[max(last - MAX_CLAIMS, 0) : last]

    def claims_between(self, type: str, since: float, until: float) -> Sequence[tuple[float, Rank]]:
        """The claims of a type in that time."""
        claims = self.claims.get(type, ())
        return claims[bisect_left(claims, (since,)) : bisect_left(claims, (until,))]


def kind(fault: Fault) -> str:
    """The first word of its name; `clock` for a clock that is set, and `server` for all others of the server."""
    if fault.action.startswith("set_clock"):
        return "clock"
    return "server" if fault.action.endswith("server") else fault.action.partition("_")[0]


def by_id(tasks: Iterable[TaskHistory]) -> Mapping[int, Sequence[TaskHistory]]:
    """The histories by the ids of their tasks: several where a primary was lost."""
    found = defaultdict(list)
    for task in tasks:
        found[task.id].append(task)
    return found


def members(tasks: Iterable[TaskHistory]) -> Mapping[int, Sequence[TaskHistory]]:
    """The tasks of each batch, but for those that were lost with a primary."""
    found = defaultdict(list)
    for task in tasks:
        if task.changes and task.changes[0].new and task.changes[0].new.batch is not None:
            found[task.changes[0].new.batch].append(task)
    return found


def all_claims(tasks: Iterable[TaskHistory]) -> Mapping[str, Sequence[tuple[float, Rank]]]:
    """The claims of every type, in the order of their moments."""
    claims = defaultdict(list)
    for task in tasks:
        for hold in task.holds:
            claims[hold.row.type].append((hold.claimed.moment, rank(task.id, hold.row)))
    return {type: sorted(each) for type, each in claims.items()}


def all_holds(tasks: Iterable[TaskHistory]) -> Mapping[Group, tuple[Sequence[float], Sequence[float]]]:
    """The moments at which holds began and ended, but of tasks that an administrator has written."""
    holds: dict[Group, list[tuple[float, float]]] = defaultdict(list)
    for task in tasks:
        for hold in task.holds if not task.is_administered else ():
            for group in (hold.row.type, (hold.row.type, hold.row.lane)):
                holds[group].append((hold.claimed.moment, hold.until))
    return {
        group: (sorted(began for began, _ in each), sorted(ended for _, ended in each)) for group, each in holds.items()
    }


def key_times(tasks: Iterable[TaskHistory]) -> Mapping[str, Sequence[tuple[float, float]]]:
    """The times in which a task with that idempotency key was in the database, by key."""
    times = defaultdict(list)
    for task in tasks:
        if task.changes and (row := task.changes[0].new) and row.key:
            end = next((each.moment for each in task.changes if each.verb == "delete"), float("inf"))
            times[row.key].append((task.changes[0].moment, end))
    return {key: sorted(each) for key, each in times.items()}


def batch(mark: str | None) -> tuple[str, int] | None:
    """The batch of a task, and the number of tasks in its request; None for a task that was submitted alone."""
    name, separator, position = (mark or "").partition(BATCH_SEPARATOR)
    return (name, int(position.partition("/")[0])) if separator else None


def batch_sizes(tasks: Iterable[TaskHistory]) -> Mapping[str, int]:
    """The number of tasks that were written of each batch."""
    return Counter(found[0] for task in tasks if (found := batch(task.mark)))


def tick(row: Row) -> Tick | None:
    """The schedule and the tick of a task that a schedule submitted; None for another task."""
    return (row.type, row.run_at) if row.type == SCHEDULED_TYPE else None


def tick_counts(tasks: Iterable[TaskHistory]) -> Mapping[Tick, int]:
    """The number of tasks of each tick."""
    firsts = (task.changes[0].new for task in tasks if task.changes and task.changes[0].verb == "submit")
    return Counter(found for row in firsts if row and (found := tick(row)))
