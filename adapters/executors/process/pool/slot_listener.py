"""The listener of the slots: it is told what happens in them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from application.ports.executor import Event, Run, Span
from domain.ids import TypeName

if TYPE_CHECKING:
    from adapters.executors.process.pool.slot import Slot


class SlotListener(Protocol):
    """Decides which run is started in which slot, and replaces slots that have died."""

    def on_event(self, event: Event) -> None:
        """An event of the executor has happened that ends no run."""
        ...

    def on_ended(self, run: Run, event: Event, span: Span | None) -> None:
        """The run has ended with that event. `span`: when its function went on, where that is known."""
        ...

    def on_returned(self, runs: Sequence[Run]) -> None:
        """These runs were taken back before they began."""
        ...

    def on_unbegun(self, runs: Sequence[Run], how: str) -> None:
        """The child has ended with these runs in hand, which it had not begun."""
        ...

    def on_capacity_changed(self, slot: "Slot") -> None:
        """The capacity or the load of the slot may be another one."""
        ...

    def on_leftover(self, type: TypeName, why: str) -> str:
        """A run of the type has cost its process. The line about that for the log of the run, once for each type."""
        ...

    def on_ending(self, slot: "Slot") -> None:
        """The slot will soon run nothing more."""
        ...

    def on_retired(self, slot: "Slot", why: TypeName | None) -> None:
        """The slot runs nothing more, though its child may still live. `why`: the type that left something running."""
        ...

    def on_died(self, slot: "Slot", how: str) -> None:
        """The child of the slot has ended, and all its runs have been reported."""
        ...

    def needs_description(self, version: bytes) -> bool:
        """Whether the child has to describe its functions: true for the first that comes with a new version of them."""
        ...

    def on_unusable(self, reason: str) -> None:
        """The functions cannot be imported."""
        ...
