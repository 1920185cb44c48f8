"""A batch in a list of the service. Times are in Unix seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from flask_tasks.client.from_json import from_json, from_json_or_none
from flask_tasks.client.task import Callback, Failure, Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFailure:
    """A task of a batch that has failed."""

    id: int
    type: str
    error: Failure | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Make a failure from the JSON object of an answer."""
        return from_json(cls, data, error=from_json_or_none(Failure, data["error"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """A batch in a list.

    - `open`: whether tasks can be added.
    - `finished`: when it was closed and all of its tasks had finished; None before, and after a retry.
    - `total`: number of its tasks, deleted ones included.
    - `counts`: number of its tasks by status; of those that were deleted or have expired, as `deleted`.
    - `progress`: finished share of its tasks.
    - `then`: id of the task that starts when it has finished.
    """

    id: int
    name: str | None
    labels: dict[str, str]
    open: bool
    created: int
    expire: int
    finished: float | None
    total: int
    counts: dict[str, int]
    progress: Reported
    then: int | None
    callback: Callback | None

    @classmethod
    def of(cls, data: Mapping[str, Any], **parts: Any) -> Self:
        """Make a batch from the JSON object of an answer."""
        progress, callback = from_json(Reported, data["progress"]), from_json_or_none(Callback, data["callback"])
        return from_json(cls, data, progress=progress, callback=callback, **parts)

    @property
    def is_final(self) -> bool:
        """Whether the batch has finished, and changes only by a retry."""
        return self.finished is not None


BatchId = int | BatchSummary
"""A batch, or the id of a batch."""


def batch_id_of(batch: BatchId) -> int:
    """Return the id of a batch."""
    return batch.id if isinstance(batch, BatchSummary) else int(batch)
