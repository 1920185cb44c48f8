"""Keep: renew the leases of what is held, hear of what is not held any more, and give back what nobody knew of."""

from collections.abc import Collection, Sequence
from datetime import datetime
from math import inf

from application.ports.wake_up import Topic
from application.ports.work import Work
from application.supervisor.courier import Courier
from application.supervisor.errands.errand import Office
from domain.ids import HandlerId, Hold
from domain.settlement import Settlement

LOOK = 0.5
"""Seconds between two looks for what was cancelled or taken back."""


class Renew:
    """Due three times in a lease, held tasks or not: it keeps the handler itself alive as well.

    For a lease after a claim went unanswered it also looks for tasks that are held in this handler's name unknown to
    it. They have not been started, and go back as if nobody had claimed them.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._desk = office.desk
        self._alarm = office.alarm()

    def due_in(self) -> float:
        return self._alarm.rings_in() if self._desk.published else inf

    def send(self, courier: Courier) -> None:
        holds = self._desk.held.holds()
        accounted_for = self._desk.accounted_for() if self._is_in_doubt() else None

        def errand() -> tuple[bool, Sequence[Hold]]:
            with self._office.begin() as work:
                lease = self._office.lease()
                is_known = work.types.keep(lease.handler, lease.until)
                lost = work.queue.renew(holds, lease)
                if accounted_for is not None:
                    give_back_strays(work, lease.handler, accounted_for, self._desk.clock.now())
                work.commit()
            return is_known, lost

        courier.send(errand, self._take_note)

    def _take_note(self, answer: tuple[bool, Sequence[Hold]]) -> None:
        is_known, lost = answer
        self._alarm.set(self._office.identity.lease / 3)
        self._desk.lose(lost)
        if not is_known:
            self._desk.published = ()

    def _is_in_doubt(self) -> bool:
        return self._desk.clock.monotonic() - self._desk.doubted_at < self._office.identity.lease


def give_back_strays(work: Work, handler: HandlerId, accounted_for: Collection[Hold], now: datetime) -> None:
    """Release what this handler holds beside that."""
    strays = {*work.queue.held_by(handler)} - {*accounted_for}
    tasks = filter(None, (work.tasks.lock(hold.task) for hold in sorted(strays)))
    work.queue.settle([Settlement.released(task, now) for task in tasks if task.hold in strays and task.lease])


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
