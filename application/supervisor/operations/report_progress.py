"""Report: tell that functions have started, and how far they are, while they go on."""

from math import inf

from application.ports.queue import Report
from application.ports.wake_up import Notifier, Topic
from application.supervisor.background import Courier
from application.supervisor.claimed import Held
from application.supervisor.operations.operation import Office

NEWSWORTHY = 0.3
"""Seconds that a function runs before it is told of, and between two reports."""


class ReportNews:
    """Due when anything is new of a function that has run for a while: what is short needs no report."""

    def __init__(self, office: Office, notifier: Notifier) -> None:
        self._office = office
        self._notifier = notifier
        self._desk = office.desk
        self._alarm = office.alarm()

    def due_in(self) -> float:
        started = (held.started_at for held in self._desk.news.values() if held.started_at is not None)
        first = min(started, default=inf)
        return max(first + NEWSWORTHY - self._desk.clock.monotonic(), self._alarm.rings_in())

    def send(self, courier: Courier) -> None:
        reports = [self._report(held) for held in self._take_news()]

        def errand() -> None:
            with self._office.begin() as work:
                work.queue.report(reports)
                work.commit()
            self._notifier.notify(Topic.CHANGED)

        courier.send(errand, lambda _: self._alarm.set(NEWSWORTHY))

    def _take_news(self) -> list[Held]:
        since = self._desk.clock.monotonic() - NEWSWORTHY
        news = [held for held in self._desk.news.values() if held.started_at is not None and held.started_at <= since]
        for held in news:
            del self._desk.news[held.hold]
        return news

    def _report(self, held: Held) -> Report:
        task = self._desk.as_it_ran(held)
        assert task.started is not None
        return Report(held.hold, task.started, task.progress)
