"""What an errand is, and what all of them need."""

from dataclasses import dataclass
from typing import Protocol

from application.ports.autocommit import AutocommitStore
from application.ports.unit_of_work import Begin
from application.supervisor.background import BackgroundRunner
from application.supervisor.state import SupervisorState
from domain.ids import HandlerId
from domain.lease import Lease


class Operation(Protocol):
    """Something to ask of the storage, whenever it is due."""

    def due_in(self) -> float:
        """In how many seconds it is to be sent; inf for not at all."""
        ...

    def send(self, runner: BackgroundRunner) -> None:
        """Before: due, and the courier is free. After: on its way; what its answer means is done when that comes."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this handler is, for how many seconds it leases, and which process it is, if that can be told."""

    handler: HandlerId
    lease: float
    process: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Where errands come from: the desk, the ways into the storage, and in whose name they are run."""

    state: SupervisorState
    begin: Begin
    autocommit: AutocommitStore
    identity: Identity

    def lease(self) -> Lease:
        """A lease from now on."""
        return Lease.granted(self.identity.handler, self.state.clock.now(), self.identity.lease)

    def timer(self) -> "Timer":
        """One that rings at once."""
        return Timer(self)


@dataclass(slots=True)
class Timer:
    """Rings when the time has come, in seconds of the host's monotonic clock."""

    context: Context
    at: float = 0.0

    def due_in(self) -> float:
        """Seconds until then; 0 or less once it is there."""
        return self.at - self.context.state.clock.monotonic()

    def set(self, seconds: float) -> None:
        """Ring that much later than now."""
        self.at = self.context.state.clock.monotonic() + seconds
