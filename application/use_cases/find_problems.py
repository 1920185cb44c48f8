"""Find problems: what keeps work from flowing, as far as a situation shows it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from application.ports.limits import UNLIMITED
from application.ports.monitoring import Liveness
from application.use_cases.list_handlers import HandlerView
from application.use_cases.view_situation import Situation
from domain.ids import TypeName
from domain.status import Status

MAX_DUE_AGE = timedelta(minutes=1)
"""Time for which a due task may wait while a child that could run it is idle."""
SILENCE_SHOWN = timedelta(hours=1)
"""Time for which a silent process is a problem, unless it holds tasks. Its record is kept for longer."""


class Problem(StrEnum):
    """A kind of problem, in the order of its weight.

    - NO_HANDLER: no handler claims tasks.
    - NO_HANDLER_OF_TYPE: tasks of a type wait that no live handler has, though one lives.
    - OVERDUE: the oldest due task of a type waits though a child that could run it is idle, and no limit holds it back.
    - NO_JANITOR: no janitor lives.
    - SILENT_HANDLER, SILENT_JANITOR: a process has stopped renewing its record, and did not end in order.
    """

    NO_HANDLER = "no_handler"
    NO_HANDLER_OF_TYPE = "no_handler_of_type"
    OVERDUE = "overdue"
    NO_JANITOR = "no_janitor"
    SILENT_HANDLER = "silent_handler"
    SILENT_JANITOR = "silent_janitor"


@dataclass(frozen=True, slots=True)
class Subject:
    """A type or process that a problem is about.

    - `number`: the tasks that wait, or that the process holds; of OVERDUE the idle children.
    - `since`: the last sign of life, or the `run_at` of the oldest due task; None if it is not known.
    """

    name: str = ""
    number: int = 0
    since: datetime | None = None


Problems = Mapping[Problem, Sequence[Subject]]
"""The subjects of each problem that there is, the gravest one first."""


def find_problems(situation: Situation) -> Problems:
    """Find the problems of a situation."""
    found = {problem: list(find(situation)) for problem, find in FINDERS.items()}
    return {problem: subjects for problem, subjects in found.items() if subjects}


def _no_handler(situation: Situation) -> Iterator[Subject]:
    if not _live_handlers(situation):
        yield Subject(number=sum(_waiting(situation).values()))


def _no_handler_of_type(situation: Situation) -> Iterator[Subject]:
    if _live_handlers(situation):
        for name, number in _waiting(situation).items():
            if name not in situation.types or not situation.types[name].live:
                yield Subject(name, number, situation.oldest_due.get(name))


def _overdue(situation: Situation) -> Iterator[Subject]:
    for name, run_at in sorted(situation.oldest_due.items()):
        idle = sum(each.idle or 0 for each in _live_handlers(situation) if name in each.record.types)
        if idle and run_at < situation.now - MAX_DUE_AGE and not _is_held_back(situation, name):
            yield Subject(name, idle, run_at)


def _is_held_back(situation: Situation, name: TypeName) -> bool:
    """Whether limits of the type hold its tasks back. Between an end and the next start they have room for a moment."""
    limits = situation.types[name].limits if name in situation.types else UNLIMITED
    # The lane of the oldest due task is not known: it may be any that is full.
    lanes = [None, *limits.running_in_lanes]
    return name in situation.flowing or any(limits.held_back_by(situation.now, lane) for lane in lanes)


def _no_janitor(situation: Situation) -> Iterator[Subject]:
    janitors = situation.processes.janitors
    if not any(each.state is Liveness.LIVE for each in janitors):
        yield Subject(since=max((each.record.last_seen for each in janitors), default=None))


def _silent_handlers(situation: Situation) -> Iterator[Subject]:
    for each in situation.processes.handlers:
        held = each.held.started + each.held.claimed
        last_seen = each.record.last_seen or each.record.until
        if each.state is Liveness.SILENT and (held or _is_recent(situation, last_seen)):
            yield Subject(each.record.id, held, last_seen)


def _silent_janitors(situation: Situation) -> Iterator[Subject]:
    if not any(_no_janitor(situation)):
        for each in situation.processes.janitors:
            if each.state is Liveness.SILENT and _is_recent(situation, each.record.last_seen):
                yield Subject(each.record.id, since=each.record.last_seen)


def _is_recent(situation: Situation, last_seen: datetime | None) -> bool:
    return last_seen is not None and last_seen > situation.now - SILENCE_SHOWN


def _live_handlers(situation: Situation) -> Sequence[HandlerView]:
    return [each for each in situation.processes.handlers if each.state is Liveness.LIVE]


def _waiting(situation: Situation) -> Mapping[TypeName, int]:
    """The number of waiting tasks of each type that has any."""
    numbers = {name: situation.counts[name].get(Status.WAITING, 0) for name in sorted(situation.counts)}
    return {name: number for name, number in numbers.items() if number}


FINDERS = {
    Problem.NO_HANDLER: _no_handler,
    Problem.NO_HANDLER_OF_TYPE: _no_handler_of_type,
    Problem.OVERDUE: _overdue,
    Problem.NO_JANITOR: _no_janitor,
    Problem.SILENT_HANDLER: _silent_handlers,
    Problem.SILENT_JANITOR: _silent_janitors,
}
