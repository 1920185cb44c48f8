"""The executor: runs the user's functions, away from the one who holds their leases."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from domain.failure import Failure
from domain.ids import Hold, TypeName
from domain.progress import Progress
from domain.task_type import TaskType


class Run(NamedTuple):
    """One start of a task: its claim, its type, the number of the attempt, and its arguments as JSON text."""

    hold: Hold
    type: TypeName
    attempt: int
    args: str


@dataclass(frozen=True, slots=True)
class Described:
    """The user's code was imported, and can run these types. Comes again whenever they may have changed."""

    types: Sequence[TaskType]


@dataclass(frozen=True, slots=True)
class Unusable:
    """The user's code cannot be imported; `reason` names the module and the error."""

    reason: str


class Span(NamedTuple):
    """When a function began, by the monotonic clock of the host, and for how many seconds it went on."""

    began: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Started:
    """The function of this run began, at that time of the monotonic clock of the host.

    Of what is over soon it may not be told.
    """

    hold: Hold
    at: float


@dataclass(frozen=True, slots=True)
class Progressed:
    """The function said how far it is."""

    hold: Hold
    progress: Progress


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The function returned; its result as JSON text.

    `log` is the last that it has printed, where that is captured, and `span` when it went on, where that is known.
    """

    hold: Hold
    result: str
    log: str = ""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The function raised, or the process that ran it died. `log` as above."""

    hold: Hold
    failure: Failure
    log: str = ""
    span: Span | None = field(default=None, compare=False)


Event = Described | Unusable | Started | Progressed | Succeeded | Failed


class Executor(Protocol):
    """A few places in which one run at a time goes on. Owned by one thread; `wake` alone may come from others."""

    @property
    def concurrency(self) -> int:
        """How many runs can go on at once when all is well."""
        ...

    @property
    def free(self) -> int:
        """How many runs can be started now."""
        ...

    def open(self) -> None:
        """Get ready. A Described follows, or an Unusable."""
        ...

    def start(self, run: Run) -> None:
        """Before: `free` is at least 1. After: the run goes on, and ends in exactly one Succeeded or Failed."""
        ...

    def end(self, hold: Hold, failure: Failure) -> None:
        """Stop this run, whatever it is doing: it ends in Failed with that failure, unless its outcome came first."""
        ...

    def recall(self) -> Sequence[Hold]:
        """Runs that were started here, and have to wait for others that go on. After: they are not here any more."""
        ...

    def events(self, timeout: float) -> Sequence[Event]:
        """What has happened since, in order; waits up to that many seconds for the first, less if woken."""
        ...

    def wake(self) -> None:
        """Let a waiting `events` return at once."""
        ...

    def close(self) -> None:
        """Stop everything that still runs, and give back what it held."""
        ...
