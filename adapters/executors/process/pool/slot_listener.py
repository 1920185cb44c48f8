"""Whom a place tells what happens there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from application.ports.executor import Event, Run, Span

if TYPE_CHECKING:
    from adapters.executors.process.pool.slot import Slot


class SlotListener(Protocol):
    """Decides what is started where."""

    def happened(self, event: Event) -> None:
        """The port's business."""
        ...

    def ended(self, run: Run, event: Event, span: Span | None) -> None:
        """The run is over, and its function went on then if that is known."""
        ...

    def gave_back(self, runs: Sequence[Run]) -> None:
        """They were never begun."""
        ...

    def changed(self, place: "Slot") -> None:
        """It has another room, or none."""
        ...

    def died(self, place: "Slot", how: str) -> None:
        """It is of no use any more."""
        ...

    def knows(self, functions: bytes) -> bool:
        """Whether these functions have been described, or soon will be."""
        ...

    def unusable(self, why: str) -> None:
        """The functions cannot be imported."""
        ...
