"""Handlers that publish recurring types, and janitors that tick, over any store and with a manual clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import sleep
from typing import Any

from adapters.clocks import ManualClock
from adapters.cron import CronCalendar
from application.ports.wake_up import Topic
from application.use_cases.publish_types import PublishTypes
from application.use_cases.tick import Tick, TickResult
from domain.ids import HandlerId, TypeName
from domain.instants import after
from domain.limits import Override
from domain.schedule import Recurrence, Schedule
from domain.task import Task
from domain.task_type import TaskType
from tests.storage import Storage

DAILY = Schedule(every="0 13 * * *")
HOURLY = Schedule(every="0 * * * *")


def recurring(name: str, every: str | Schedule | None = DAILY, **options: Any) -> TaskType:
    """A type that ticks daily at 13:00, an hour after the clock starts, or by another schedule, or never for None."""
    schedule = Schedule(every=every) if isinstance(every, str) else every
    return TaskType(name=TypeName(name), schedule=schedule, **options)


@dataclass
class Recurring:
    """The handlers and janitors of one storage. `told` collects the topics that were notified."""

    storage: Storage
    clock: ManualClock = field(default_factory=ManualClock)
    told: list[Topic] = field(default_factory=list)
    max_task_time: int = 600

    def __post_init__(self) -> None:
        self.begin = self.storage.begin
        self.tick_once = self.janitor()

    def janitor(self) -> Tick:
        return Tick(self.begin, self.storage.pending, self.clock, self, CronCalendar(), self.max_task_time)

    def notify(self, topic: Topic) -> None:
        self.told.append(topic)

    def publish(self, handler: str, *types: TaskType, seconds: float = 30) -> None:
        """Publish the types of a handler, which lives for the seconds. What is locked is published later."""
        publish = PublishTypes(self.begin, self.clock, CronCalendar())
        while publish(HandlerId(handler), types, after(self.clock.now(), seconds)):
            sleep(0.01)

    def keep(self, handler: str, seconds: float = 30) -> None:
        with self.begin() as work:
            assert work.types.renew(HandlerId(handler), after(self.clock.now(), seconds))
            work.commit()

    def withdraw(self, handler: str) -> None:
        with self.begin() as work:
            work.types.withdraw(HandlerId(handler))
            work.commit()

    def limit(self, type: str, **limits: Any) -> None:
        """Set limits of a type in place of its declared ones."""
        with self.begin() as work:
            work.limits.set(TypeName(type), Override(limits))
            work.commit()

    def tick(self) -> Sequence[Task]:
        return self.look().tasks

    def look(self) -> TickResult:
        return self.tick_once()

    def pass_hours(self, hours: float) -> None:
        self.clock.move(hours * 3600)

    def known(self) -> dict[str, Recurrence]:
        """The schedules as they are stored, by type."""
        with self.begin() as work:
            return {each.type: each for each in work.schedules.lock()}

    def shown(self) -> dict[str, tuple[Schedule | None, datetime | None]]:
        """The schedule and next tick that are listed for each type."""
        with self.begin() as work:
            return {each.type.name: (each.type.schedule, each.next) for each in work.types.all(self.clock.now())}
