"""Record: say of some tasks that they are about to start, before they do."""

from collections.abc import Sequence
from itertools import islice
from math import inf

from application.ports.executor import Executor
from application.ports.queue import Report
from application.supervisor.background import Courier
from application.supervisor.operations.operation import Office
from domain.ids import Hold


class RecordStarts:
    """Due when the next in the queue must start on record, and is not yet. Until then nothing behind it starts.

    What is not held any more cannot be put on record, and does not start.
    """

    def __init__(self, office: Office, executor: Executor) -> None:
        self._office = office
        self._desk = office.desk
        self._executor = executor

    def due_in(self) -> float:
        return 0 if self._desk.held.waits_for_record() and self._executor.free else inf

    def send(self, courier: Courier) -> None:
        first = islice(self._desk.held.queued, self._executor.free)
        starting = [held for held in first if held.task.must_start_on_record]
        now = self._desk.clock.now()

        def errand() -> Sequence[Hold]:
            with self._office.begin() as work:
                work.queue.report([Report(held.hold, now) for held in starting])
                lost = work.queue.lost([held.hold for held in starting])
                work.commit()
            return lost

        def then(lost: Sequence[Hold]) -> None:
            self._desk.lose(lost)
            for held in starting:
                held.task = held.task.reported(now, None)

        courier.send(errand, then)
