"""The correspondence of a supervisor with the storage: one errand at a time, by turns."""

from collections.abc import Sequence
from math import inf

from application.supervisor.background import Courier
from application.supervisor.operations.operation import Errand
from application.supervisor.state import Desk


class Correspondence:
    """Sends whatever is due. Who was sent comes last the next time, so that none can hold up the others for ever."""

    def __init__(self, desk: Desk, courier: Courier, errands: Sequence[Errand]) -> None:
        self._desk = desk
        self._courier = courier
        self._errands = list(errands)

    @property
    def is_over(self) -> bool:
        """Whether nothing is on its way, and nothing is left to say."""
        return self._courier.is_free and self._desk.is_empty and not self._desk.published

    def due_in(self) -> float:
        """Seconds until something can be sent; inf while an errand is on its way."""
        return min(errand.due_in() for errand in self._errands) if self._courier.is_free else inf

    def exchange(self) -> None:
        """Take the answer that has come, and send the next errand that is due."""
        self._courier.deliver()
        if not self._courier.is_free:
            return
        for errand in self._errands:
            if errand.due_in() <= 0:
                errand.send(self._courier)
                self._errands.remove(errand)
                self._errands.append(errand)
                return
