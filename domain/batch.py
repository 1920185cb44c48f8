"""A batch: tasks that are submitted together, followed as one, and finished when all of them are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.errors import InvalidOption
from domain.ids import BatchId, TaskId
from domain.instants import after, aware, whole_second
from domain.progress import Progress
from domain.status import FINAL
from domain.task import READABLE_SECONDS

MAX_NAME_CHARACTERS = 200


class BatchCount(StrEnum):
    """Statuses by which the tasks of a batch are counted. A deleted task stays counted, as one that has finished."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETED = "deleted"


FINISHED = frozenset({BatchCount.DELETED, *(BatchCount(status) for status in FINAL)})


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """The number of tasks of a batch by status; statuses of no task may be left out."""

    by_status: Mapping[BatchCount, int]

    @property
    def total(self) -> int:
        """The number of all tasks that the batch has ever had."""
        return sum(self.by_status.values())

    @property
    def finished(self) -> int:
        """The number of those that have finished, or were deleted."""
        return sum(number for status, number in self.by_status.items() if status in FINISHED)

    @property
    def progress(self) -> Progress:
        """The share of the tasks that have finished: all of none."""
        share = self.finished / self.total if self.total else 1.0
        return Progress(share, f"{self.finished} of {self.total}")


def check_name(name: str | None) -> None:
    """Raises InvalidOption: the name is too long."""
    if name is not None and len(name) > MAX_NAME_CHARACTERS:
        raise InvalidOption("name", "too long", f"a text of at most {MAX_NAME_CHARACTERS} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch without its tasks.

    `expire`: when it may be deleted, once it has finished and none of its tasks is left, nor the one that follows it.
    `ttl`: seconds for which it is kept.
    `name`: a text for people.
    `labels`: its labels as the text of a JSON object; None without labels.
    `is_open`: whether more tasks may be added to it. An open batch does not finish; it is closed when it expires.
    `finished`: when all of its tasks had finished; None before, and again after one of them was retried.
    `then`: the task that starts when the batch finishes for the first time.
    `callback`: the address to which a message is sent at each finish.
    """

    id: BatchId
    created: datetime
    expire: datetime
    ttl: int
    name: str | None = None
    labels: str | None = None
    is_open: bool = False
    finished: datetime | None = None
    then: TaskId | None = None
    callback: str | None = None

    @classmethod
    def created_at(cls, now: datetime, ttl: int, *, id: BatchId, **fields: object) -> "Batch":
        """A new batch, kept for `ttl` seconds."""
        created = whole_second(now)
        return cls(id=id, created=created, expire=after(created, ttl), ttl=ttl, **fields)  # type: ignore[arg-type]

    def closed(self) -> "Batch":
        """Closed: no task is added to it any more."""
        return replace(self, is_open=False)

    def has_expired(self, now: datetime) -> bool:
        """Whether it has been kept for its time. An open batch is closed then."""
        return self.expire <= aware(now)

    def finished_at(self, now: datetime, counts: BatchCounts) -> "Batch":
        """Finished, if it is closed and all of its tasks have finished; else as it is."""
        if self.is_open or self.finished or counts.finished < counts.total:
            return self
        readable = after(whole_second(now), min(READABLE_SECONDS, self.ttl) + 1)
        return replace(self, finished=aware(now), expire=max(self.expire, readable))

    def resumed(self) -> "Batch":
        """Not finished any more, since one of its tasks was retried."""
        return replace(self, finished=None)
