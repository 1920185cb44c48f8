"""Claim: take what the executor will start within moments."""

import random
from collections.abc import Mapping, Sequence
from math import inf

from application.ports.executor import Executor
from application.ports.queue import Claimed
from application.ports.wake_up import Topic
from application.supervisor.claim_ahead import LIMIT, MOST_BYTES
from application.supervisor.courier import Courier
from application.supervisor.errands.errand import Office
from domain.ids import TypeName

POLL = 1.0
"""Seconds between two looks for work that nobody has notified of."""


class ClaimTasks:
    """Due while there is room: at once after a notification or a claim that found something, else by polling."""

    def __init__(self, office: Office, executor: Executor) -> None:
        self._office = office
        self._desk = office.desk
        self._executor = executor
        self._alarm = office.alarm()

    def due_in(self) -> float:
        desk = self._desk
        if desk.draining or not desk.published:
            return inf
        seconds = 0 if Topic.WAITING in desk.woken else self._alarm.rings_in()
        return seconds if seconds > 0 or self._wanted() else inf

    def send(self, courier: Courier) -> None:
        wanted = self._wanted()
        self._desk.woken.discard(Topic.WAITING)

        def errand() -> Sequence[Claimed]:
            with self._office.begin() as work:
                now = self._desk.clock.now()
                claimed = work.queue.claim(self._office.lease(), now, wanted, LIMIT, MOST_BYTES)
                work.commit()
            return claimed

        courier.send(errand, self._take_in)

    def _take_in(self, claimed: Sequence[Claimed]) -> None:
        self._alarm.set(POLL * random.uniform(0.75, 1.25))
        self._desk.held.take_in(claimed, self._desk.clock.monotonic())
        self._desk.ahead.took(each.task.type for each in claimed)
        if claimed:
            self._desk.woken.add(Topic.WAITING)

    def _wanted(self) -> Mapping[TypeName, int]:
        free, places = self._executor.free, self._executor.concurrency
        return self._desk.ahead.wanted(free, places, self._desk.held, self._desk.clock.monotonic())
