"""The correspondence of a supervisor with the storage: a table of errands, each with the moment when it is due."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from application.ports.executor import Executor
from application.ports.queue import Claimed, Report
from application.ports.wake_up import Topic
from application.ports.work import Begin
from application.supervisor.claim_ahead import LIMIT, MOST_BYTES
from application.supervisor.courier import Courier
from application.supervisor.desk import Desk
from application.supervisor.held import Held
from domain.ids import HandlerId, Hold, TaskId, TypeName
from domain.lease import Lease
from domain.settlement import Settlement
from domain.task_type import TaskType

POLL = 1.0
"""Seconds between two looks for work that nobody has notified of."""
LOOK_FOR_LOST = 0.5
NEWSWORTHY = 0.3
"""Seconds that a function runs before its start and progress are told, and between two such reports."""
SETTLED_AT_ONCE = 1_000
SETTLED_BYTES = 32 * 1024 * 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this handler is, and for how many seconds it leases."""

    handler: HandlerId
    lease: float


@dataclass(slots=True)
class Errand:
    """Something to ask of the storage: in how many seconds it is due (inf for not at all), and how to send it."""

    due_in: Callable[[], float]
    send: Callable[[], None]


class Correspondence:
    """Sends one errand at a time, in turns, so that none can hold up the others for ever."""

    def __init__(
        self,
        desk: Desk,
        begin: Begin,
        courier: Courier,
        identity: Identity,
        executor: Executor,
        rescue: Callable[[], object],
        published: Callable[[Sequence[TaskType]], None],
    ) -> None:
        self._desk = desk
        self._begin = begin
        self._courier = courier
        self._identity = identity
        self._executor = executor
        self._rescue = rescue
        self._told_published = published
        self._next: dict[str, float] = {}
        self._errands = [
            Errand(self._publish_due, self._publish),
            Errand(self._settle_due, self._settle),
            Errand(self._claim_due, self._claim),
            Errand(self._renew_due, self._renew),
            Errand(self._look_for_lost_due, self._look_for_lost),
            Errand(self._report_due, self._report),
            Errand(self._look_for_abandoned_due, self._look_for_abandoned),
            Errand(self._withdraw_due, self._withdraw),
        ]

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
        for errand in list(self._errands):
            if errand.due_in() <= 0:
                errand.send()
                self._errands.remove(errand)
                self._errands.append(errand)
                return

    # Publishing: what this handler can run, and that it lives

    def _publish_due(self) -> float:
        desk = self._desk
        return 0 if desk.types and desk.types != desk.published and not desk.draining else inf

    def _publish(self) -> None:
        types = self._desk.types

        def errand() -> None:
            with self._begin() as work:
                work.types.publish(self._identity.handler, types, self._lease().until)
                work.commit()

        def then(_: None) -> None:
            self._desk.published = types
            self._told_published(types)

        self._courier.send(errand, then)

    def _withdraw_due(self) -> float:
        desk = self._desk
        return 0 if desk.draining and desk.is_empty and desk.published else inf

    def _withdraw(self) -> None:
        def errand() -> None:
            with self._begin() as work:
                work.types.withdraw(self._identity.handler)
                work.commit()

        def then(_: None) -> None:
            self._desk.published = ()

        self._courier.send(errand, then)

    # Claiming

    def _claim_due(self) -> float:
        desk = self._desk
        if desk.draining or not desk.published:
            return inf
        due_in = 0 if Topic.WAITING in desk.woken else self._in("claim")
        return due_in if due_in > 0 or self._wanted() else inf

    def _claim(self) -> None:
        wanted = self._wanted()
        self._desk.woken.discard(Topic.WAITING)

        def errand() -> Sequence[Claimed]:
            with self._begin() as work:
                now = self._desk.clock.now()
                claimed = work.queue.claim(self._lease(), now, wanted, LIMIT, MOST_BYTES)
                work.commit()
            return claimed

        def then(claimed: Sequence[Claimed]) -> None:
            self._again("claim", POLL * random.uniform(0.75, 1.25))
            self._desk.held.take_in(claimed, self._desk.clock.monotonic())
            self._desk.ahead.took(each.task.type for each in claimed)
            if claimed:
                self._desk.woken.add(Topic.WAITING)

        self._courier.send(errand, then)

    def _wanted(self) -> Mapping[TypeName, int]:
        free, places = self._executor.free, self._executor.concurrency
        return self._desk.ahead.wanted(free, places, self._desk.held, self._desk.clock.monotonic())

    # Holding

    def _renew_due(self) -> float:
        return self._in("renew") if self._desk.published else inf

    def _renew(self) -> None:
        holds = self._desk.held.holds()

        def errand() -> tuple[bool, Sequence[Hold]]:
            with self._begin() as work:
                lease = self._lease()
                known = work.types.keep(lease.handler, lease.until)
                lost = work.queue.renew(holds, lease)
                work.commit()
            return known, lost

        def then(answer: tuple[bool, Sequence[Hold]]) -> None:
            known, lost = answer
            self._again("renew", self._identity.lease / 3)
            self._desk.lose(lost)
            if not known:
                self._desk.published = ()

        self._courier.send(errand, then)

    def _look_for_lost_due(self) -> float:
        if not self._desk.held:
            return inf
        return 0 if Topic.TAKEN in self._desk.woken else self._in("lost")

    def _look_for_lost(self) -> None:
        holds = self._desk.held.holds()
        self._desk.woken.discard(Topic.TAKEN)

        def errand() -> Sequence[Hold]:
            with self._begin() as work:
                return work.queue.lost(holds)

        def then(lost: Sequence[Hold]) -> None:
            self._again("lost", LOOK_FOR_LOST)
            self._desk.lose(lost)

        self._courier.send(errand, then)

    def _look_for_abandoned_due(self) -> float:
        return inf if self._desk.draining or not self._desk.published else self._in("abandoned")

    def _look_for_abandoned(self) -> None:
        def then(_: object) -> None:
            self._again("abandoned", self._identity.lease / 3 * random.uniform(0.75, 1.25))

        self._courier.send(self._rescue, then)

    # Telling

    def _settle_due(self) -> float:
        return 0 if self._desk.outbox else inf

    def _settle(self) -> None:
        batch = _batch(self._desk.outbox)
        del self._desk.outbox[: len(batch)]

        def errand() -> Sequence[TaskId]:
            with self._begin() as work:
                refused = work.queue.settle(batch)
                work.commit()
            return refused

        def then(refused: Sequence[TaskId]) -> None:
            for task in refused:
                log.info("the outcome of task %s came late and was refused: it is not held here any more", task)

        self._courier.send(errand, then)

    def _report_due(self) -> float:
        started = (held.started_at for held in self._desk.news.values() if held.started_at is not None)
        first = min(started, default=inf)
        return max(first + NEWSWORTHY - self._desk.clock.monotonic(), self._in("report"))

    def _report(self) -> None:
        since = self._desk.clock.monotonic() - NEWSWORTHY
        told = [held for held in self._desk.news.values() if held.started_at is not None and held.started_at <= since]
        reports = [self._report_of(held) for held in told]
        for held in told:
            del self._desk.news[held.hold]

        def errand() -> None:
            with self._begin() as work:
                work.queue.report(reports)
                work.commit()

        self._courier.send(errand, lambda _: self._again("report", NEWSWORTHY))

    def _report_of(self, held: Held) -> Report:
        task = self._desk.as_it_ran(held)
        assert task.started is not None
        return Report(held.hold, task.started, task.progress)

    def _lease(self) -> Lease:
        return Lease.granted(self._identity.handler, self._desk.clock.now(), self._identity.lease)

    def _in(self, errand: str) -> float:
        return self._next.get(errand, 0) - self._desk.clock.monotonic()

    def _again(self, errand: str, seconds: float) -> None:
        self._next[errand] = self._desk.clock.monotonic() + seconds


def _batch(outbox: Sequence[Settlement]) -> Sequence[Settlement]:
    """The first of the outbox, as many as go into one transaction."""
    size = 0
    for nth, settlement in enumerate(outbox[:SETTLED_AT_ONCE]):
        size += len(settlement.result or "")
        if nth and size > SETTLED_BYTES:
            return outbox[:nth]
    return outbox[:SETTLED_AT_ONCE]
