"""Claim: take what the executor will start within moments."""

import random
from collections.abc import Sequence
from dataclasses import replace
from math import inf

from application.errors import StorageUnavailable
from application.ports.executor import Executor
from application.ports.queue import Claimed, Wanted
from application.ports.wake_up import Topic
from application.supervisor.background import Courier
from application.supervisor.claim_cursors import Marks
from application.supervisor.operations.operation import Office

POLL = 1.0
"""Seconds between two looks for work that nobody has notified of."""
SOON = 0.05
"""Seconds to the next look after a notification, since what it told of may be due by another clock a moment later."""


class ClaimTasks:
    """Due while there is room: at once for what may be there, and by polling for what was not when last asked for."""

    def __init__(self, office: Office, executor: Executor) -> None:
        self._office = office
        self._desk = office.desk
        self._executor = executor
        self._alarm = office.alarm()
        self._marks = Marks()

    def due_in(self) -> float:
        desk = self._desk
        if desk.draining or not desk.published:
            return inf
        wanted = self._wanted().most
        if not wanted:
            return inf
        may_be_there = Topic.WAITING in desk.woken or wanted.keys() - desk.ahead.exhausted
        return 0 if may_be_there else self._alarm.rings_in()

    def send(self, courier: Courier) -> None:
        pause = POLL * random.uniform(0.75, 1.25)
        if Topic.WAITING in self._desk.woken:
            self._desk.woken.discard(Topic.WAITING)
            self._desk.ahead.exhausted.clear()
            pause = SOON
        marks = self._marks.to_use(self._desk.clock.monotonic())
        wanted = replace(self._wanted(), marks=marks)
        self._desk.ahead.asked()
        courier.send(lambda: self._claim(wanted), lambda answer: self._take_in(*answer, wanted, pause))

    def _claim(self, wanted: Wanted) -> tuple[Sequence[Claimed], float]:
        """What was claimed, and how many seconds it took."""
        clock = self._desk.clock
        began = clock.monotonic()
        try:
            claimed = self._office.at_once.claim(self._office.lease(), clock.now(), wanted)
            return claimed, clock.monotonic() - began
        except StorageUnavailable:
            self._desk.doubted_at = clock.monotonic()
            raise

    def _take_in(self, claimed: Sequence[Claimed], seconds: float, wanted: Wanted, pause: float) -> None:
        desk, now = self._desk, self._desk.clock.monotonic()
        self._marks.claimed(claimed)
        if wanted.marks:
            pause = min(pause, self._marks.begin_anew_in(now))
        else:
            self._marks.began_anew(now, seconds)
        self._alarm.set(pause)
        desk.ahead.took(claimed, wanted)
        desk.held.take_in(claimed, now)
        # It was not known what else there would be.
        too_many = desk.ahead.too_many(*self._places(), desk.held, now)
        if too_many:
            desk.held.drop({held.hold for held in too_many})
            desk.give_back(held.task for held in too_many)

    def _wanted(self) -> Wanted:
        return self._desk.ahead.wanted(*self._places(), self._desk.held, self._desk.clock.monotonic())

    def _places(self) -> tuple[int, int]:
        """How many runs could be started now, and in how many places one at a time goes on."""
        return self._executor.free, self._executor.concurrency
