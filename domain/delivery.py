"""Telling an address that a task has finished: how often it was tried, and what comes next."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.ids import TaskId
from domain.instants import after, aware
from domain.retry import RetryPolicy

MAX_ATTEMPTS = 12
RETRY_POLICY = RetryPolicy(first=5, factor=3, cap=6 * 3600)
"""After 5, 15, 45 seconds and so on, from an hour on every three, then every six: for most of a day."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DeliveryState(StrEnum):
    """Whether the address knows, and if not, whether it will be tried again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The news of one finish of a task. It begins when the task finishes, and ends at the latest with the task.

    `due` is when it may be tried next. `attempts` counts how often it was claimed, and came to an answer or not.
    """

    task: TaskId
    finished: datetime
    url: str
    due: datetime
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    error: str | None = None

    @classmethod
    def of(cls, task: TaskId, url: str, finished: datetime) -> "Delivery":
        """What begins when that task finishes: due at once."""
        return cls(task=task, url=url, finished=aware(finished), due=finished)

    @property
    def event(self) -> str:
        """The name of this news: the same at every attempt, another for every finish."""
        return f"task-{self.task}-{(self.finished - _EPOCH) // timedelta(microseconds=1)}"

    @property
    def claim(self) -> tuple[datetime, int]:
        """Which attempt of which finish this is: what every write must name."""
        return self.finished, self.attempts

    @property
    def next(self) -> datetime | None:
        """When it is tried again; None if it is not."""
        return self.due if self.state is DeliveryState.PENDING else None

    def is_due(self, now: datetime) -> bool:
        """Whether it may be claimed."""
        return self.state is DeliveryState.PENDING and self.due <= aware(now)

    def claimed(self, until: datetime) -> "Delivery":
        """Somebody tries it now. Who is never heard of again has until then."""
        return replace(self, attempts=self.attempts + 1, due=until)

    def delivered(self) -> "Delivery":
        """The address has taken it."""
        return replace(self, state=DeliveryState.DELIVERED, error=None)

    def failed(self, now: datetime, why: str, jitter: float) -> "Delivery":
        """Tried again after a while; given up where it was tried often enough."""
        if self.attempts >= MAX_ATTEMPTS:
            return self.given_up(why)
        return replace(self, due=after(now, RETRY_POLICY.delay(self.attempts, jitter)), error=why)

    def given_up(self, why: str) -> "Delivery":
        """Not tried again."""
        return replace(self, state=DeliveryState.GIVEN_UP, error=why)
