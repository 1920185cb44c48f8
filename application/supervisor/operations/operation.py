"""An operation of the supervisor on the storage, and the context that all operations share."""

from dataclasses import dataclass
from typing import Protocol

from application.ports.autocommit import AutocommitStore
from application.ports.background import BackgroundRunner
from application.ports.monitoring import HandlerInfo
from application.ports.unit_of_work import Begin
from application.supervisor.state import SupervisorState
from domain.ids import HandlerId
from domain.lease import Lease


class Operation(Protocol):
    """A call to the storage that becomes due again and again."""

    def due_in(self) -> float:
        """Seconds until it is due; 0 or less if it is, inf if nothing is foreseen."""
        ...

    def send(self, runner: BackgroundRunner) -> None:
        """Before: due, and the runner is idle. After: the call is submitted, and its result changes the state."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """A handler's id, the seconds of its leases, the name of its process where there is one, and the facts about it."""

    handler: HandlerId
    lease: float
    process: str | None = None
    info: HandlerInfo | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that all operations share: the state, the two ways to the storage, and the handler's identity."""

    state: SupervisorState
    begin: Begin
    autocommit: AutocommitStore
    identity: Identity

    def lease(self) -> Lease:
        """A lease from now on."""
        return Lease.granted(self.identity.handler, self.state.clock.now(), self.identity.lease)

    def timer(self) -> "Timer":
        """A timer that is due at once."""
        return Timer(self)


@dataclass(slots=True)
class Timer:
    """Is due `at` a monotonic time in seconds."""

    context: Context
    at: float = 0.0

    def due_in(self) -> float:
        """Seconds until it is due; 0 or less if it is."""
        return self.at - self.context.state.clock.monotonic()

    def set(self, seconds: float) -> None:
        """Make it due that many seconds from now."""
        self.at = self.context.state.clock.monotonic() + seconds
