"""The delivery of the message that a task or a batch has finished: its attempts, and when the next one is due."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.ids import BatchId, TaskId
from domain.instants import after, aware
from domain.retry import RetryPolicy

MAX_ATTEMPTS = 12
RETRY_POLICY = RetryPolicy(first=5, factor=3, cap=6 * 3600)
"""The pauses triple from 5 seconds to 3 hours, and are 6 hours from then on. All of them last most of a day."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DeliveryState(StrEnum):
    """Whether the receiver has accepted the message, and if not, whether another attempt follows."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class Subject(StrEnum):
    """The kind of thing that has finished."""

    TASK = "task"
    BATCH = "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The message of one finish of a task or a batch. It begins with the finish, and ends with the subject at last.

    `subject`, `id`: the task or batch.
    `due`: when it may be attempted next.
    `attempts`: how often it was claimed, whether or not an answer came.
    """

    id: TaskId | BatchId
    subject: Subject = Subject.TASK
    finished: datetime
    url: str
    due: datetime
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    error: str | None = None

    @classmethod
    def of(cls, task: TaskId, url: str, finished: datetime) -> "Delivery":
        """The delivery that begins when this task finishes: due at once."""
        return cls(id=task, url=url, finished=aware(finished), due=finished)

    @classmethod
    def of_batch(cls, batch: BatchId, url: str, finished: datetime) -> "Delivery":
        """The delivery that begins when this batch finishes: due at once."""
        return cls(id=batch, subject=Subject.BATCH, url=url, finished=aware(finished), due=finished)

    @property
    def event(self) -> str:
        """The id of the event: the same at every attempt, and another for every finish."""
        return f"{self.subject}-{self.id}-{(self.finished - _EPOCH) // timedelta(microseconds=1)}"

    @property
    def claim(self) -> tuple[datetime, int]:
        """The finish and the number of the attempt, which every write must name."""
        return self.finished, self.attempts

    @property
    def next(self) -> datetime | None:
        """When it is attempted next; None if it is not."""
        return self.due if self.state is DeliveryState.PENDING else None

    def is_due(self, now: datetime) -> bool:
        """Whether it may be claimed."""
        return self.state is DeliveryState.PENDING and self.due <= aware(now)

    def claimed(self, until: datetime) -> "Delivery":
        """Under way: due again at `until`, in case its janitor is gone by then."""
        return replace(self, attempts=self.attempts + 1, due=until)

    def delivered(self) -> "Delivery":
        """Accepted by the receiver."""
        return replace(self, state=DeliveryState.DELIVERED, error=None)

    def failed(self, now: datetime, why: str, jitter: float) -> "Delivery":
        """Attempted again after a while; given up after the last attempt."""
        if self.attempts >= MAX_ATTEMPTS:
            return self.given_up(why)
        return replace(self, due=after(now, RETRY_POLICY.delay(self.attempts, jitter)), error=why)

    def given_up(self, why: str) -> "Delivery":
        """Not attempted again."""
        return replace(self, state=DeliveryState.GIVEN_UP, error=why)
