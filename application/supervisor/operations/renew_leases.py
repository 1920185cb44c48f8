"""Keep: renew the leases of what is held, and hear of what is not held any more."""

from collections.abc import Sequence
from math import inf

from application.ports.queue import Unrenewed
from application.ports.wake_up import Topic
from application.supervisor.background import Courier
from application.supervisor.operations.operation import Office
from domain.ids import Hold

LOOK = 0.4
"""Seconds between two looks for what was cancelled or taken back."""


class Renew:
    """Due three times in a lease, held tasks or not: it keeps the handler itself alive as well.

    An outcome may have to wait for its turn, or for somebody's lock: until it is written, its task is kept. What is
    locked is asked for again and again: when it is let go, its lease may have lapsed, and the first to come has it.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._desk = office.desk
        self._alarm = office.alarm()
        self._locked: Sequence[Hold] = ()

    def due_in(self) -> float:
        if not self._desk.published:
            return inf
        return 0 if self._locked else self._alarm.rings_in()

    def send(self, courier: Courier) -> None:
        holds, is_time = self._desk.to_keep(), self._alarm.rings_in() <= 0
        if is_time:
            self._alarm.set(self._office.identity.lease / 3)
        else:
            holds = [hold for hold in self._locked if hold in holds]
        self._locked = ()

        def errand() -> tuple[bool, Unrenewed]:
            with self._office.begin() as work:
                lease = self._office.lease()
                is_known = not is_time or work.types.keep(lease.handler, lease.until)
                unrenewed = work.queue.renew(holds, lease)
                work.commit()
            return is_known, unrenewed

        courier.send(errand, self._take_note)

    def _take_note(self, answer: tuple[bool, Unrenewed]) -> None:
        is_known, unrenewed = answer
        self._desk.lose(unrenewed.lost)
        self._locked = unrenewed.locked
        if not is_known:
            self._desk.published = ()


class LookForLost:
    """Due while anything is held: at once after a notification, else by polling."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._desk = office.desk
        self._alarm = office.alarm()

    def due_in(self) -> float:
        if not self._desk.held:
            return inf
        return 0 if Topic.TAKEN in self._desk.woken else self._alarm.rings_in()

    def send(self, courier: Courier) -> None:
        holds = self._desk.held.holds()
        self._desk.woken.discard(Topic.TAKEN)

        def errand() -> Sequence[Hold]:
            with self._office.begin() as work:
                return work.queue.lost(holds)

        def then(lost: Sequence[Hold]) -> None:
            self._alarm.set(LOOK)
            self._desk.lose(lost)

        courier.send(errand, then)
