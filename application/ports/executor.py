"""The executor: runs the user's functions, apart from the supervisor that holds their leases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from domain.failure import Failure
from domain.ids import Hold, TypeName
from domain.progress import Progress
from domain.task_type import TaskType
from domain.traceparent import Traceparent


class Run(NamedTuple):
    """One start of a task: its claim, its type, the number of the attempt, its arguments as JSON text, its trace."""

    hold: Hold
    type: TypeName
    attempt: int
    args: str
    traceparent: Traceparent | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """The user's code was imported, and can run these types. Repeated whenever they may have changed."""

    types: Sequence[TaskType]


@dataclass(frozen=True, slots=True)
class Unusable:
    """The user's code cannot be imported; `reason` names the module and the error."""

    reason: str


class Span(NamedTuple):
    """The start of a function on the monotonic clock of the host, and the seconds that it took."""

    began: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Started:
    """The function of this run began, at that time of the monotonic clock of the host.

    May be omitted for a function that ends soon.
    """

    hold: Hold
    at: float


@dataclass(frozen=True, slots=True)
class Progressed:
    """The function reported its progress."""

    hold: Hold
    progress: Progress


@dataclass(frozen=True, slots=True)
class Logged:
    """The output of the function has grown. `log`: its end so far. Omitted for a function that ends soon."""

    hold: Hold
    log: str


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The function returned; its result as JSON text.

    `log`: the end of its output, if output is captured.
    `span`: the time that it took, if that is known.
    """

    hold: Hold
    result: str
    log: str = ""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The function raised, or the process that ran it died. `log` and `span` as in Succeeded."""

    hold: Hold
    failure: Failure
    log: str = ""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The process that ran the function was ended through no fault of the function. `log` as in Succeeded."""

    hold: Hold
    log: str = ""


Event = Described | Unusable | Started | Progressed | Logged | Succeeded | Failed | Interrupted


class Executor(Protocol):
    """A few slots, each for one run at a time. Owned by one thread; only `wake` may be called from others."""

    @property
    def concurrency(self) -> int:
        """The number of slots, and so of runs at once when all slots work."""
        ...

    @property
    def free(self) -> int:
        """The number of runs that can be started now."""
        ...

    def open(self) -> None:
        """Get ready. A Described or an Unusable follows."""
        ...

    def start(self, run: Run) -> None:
        """Before: `free` is at least 1. After: the run is under way.

        It ends in exactly one Succeeded, Failed or Interrupted.
        """
        ...

    def end(self, hold: Hold, failure: Failure) -> None:
        """Stop this run at once: it ends in Failed with that failure, unless its outcome came first."""
        ...

    def recall(self) -> Sequence[Hold]:
        """The runs that would have to wait for others to end. After: the executor has them no more."""
        ...

    def events(self, timeout: float) -> Sequence[Event]:
        """The events since the last call, in order. Waits up to that many seconds for the first, less if woken."""
        ...

    def wake(self) -> None:
        """Make a waiting `events` return at once."""
        ...

    def close(self, seconds_left: Callable[[], float] = lambda: 0.0) -> None:
        """Stop all runs, and free all resources.

        Functions that the user's code has registered for the end of its process have so many seconds for that.
        """
        ...
