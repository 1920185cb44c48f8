"""Strays: tasks that are held in the name of this handler without its knowing, since its claim was not answered."""

from collections.abc import Collection
from math import inf

from application.ports.unit_of_work import Work
from application.supervisor.background import Courier
from application.supervisor.operations.operation import Office
from domain.ids import Hold
from domain.settlement import Settlement


class GiveBackStrays:
    """Due three times in the lease after a claim went unanswered: its commit may come later than one would think.

    They have not been started, and go back as if nobody had claimed them. Carried by the courier of the claims: while
    one is on its way, this handler does not know yet what it holds.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._desk = office.desk
        self._alarm = office.alarm()

    def due_in(self) -> float:
        since = self._desk.clock.monotonic() - self._desk.doubted_at
        return self._alarm.rings_in() if since < self._office.identity.lease else inf

    def send(self, courier: Courier) -> None:
        accounted_for = self._desk.accounted_for()
        self._alarm.set(self._office.identity.lease / 3)

        def errand() -> None:
            with self._office.begin() as work:
                self._give_back(work, accounted_for)
                work.commit()

        courier.send(errand, lambda _: None)

    def _give_back(self, work: Work, accounted_for: Collection[Hold]) -> None:
        now = self._desk.clock.now()
        strays = {*work.queue.held_by(self._office.identity.handler)} - {*accounted_for}
        tasks = work.tasks.lock(*(hold.task for hold in strays))
        work.queue.settle([Settlement.released(task, now) for task in tasks if task.lease and task.hold in strays])
