"""Create a batch with its tasks: all of it, or nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from application.conflict_retry import retry_on_conflict
from application.errors import CallbacksDisabled, InvalidBatch, InvalidItems, KeyTakenByBatch, StorageConflict
from application.json.fingerprint import batch_fingerprint, digest, fingerprint
from application.json.text import canonical, dump
from application.ports.batches import NewBatch
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from application.submissions import SubmissionBuilder, TaskRequest
from application.use_cases.finish_batches import FinishBatches
from application.use_cases.submit_tasks import UnreadableItem, checked_submissions, without_own_keys
from domain.batch import check_name
from domain.errors import InvalidLabel, InvalidOption
from domain.ids import BatchId, IdempotencyKey, TaskId
from domain.labels import check_labels
from domain.submission import Submission

TASKS_PATH = "$.tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """A request for a batch, without its tasks.

    - `name`: a text for people.
    - `is_open`: whether more tasks may be added later.
    - `key`: the idempotency key of the whole.
    """

    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    is_open: bool = False
    callback: str | None = None
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class CreatedBatch:
    """The id of the batch, those of its tasks in the order of the requests, and whether the batch is new."""

    id: BatchId
    ids: Sequence[TaskId]
    is_new: bool


@dataclass(frozen=True, slots=True)
class CheckedTasks:
    """The submissions of a batch, which were checked at one moment, and the fingerprint of each request."""

    now: datetime
    submissions: Sequence[Submission]
    fingerprints: Sequence[str]


class CreateBatch:
    """Creates a batch with its tasks.

    Raises InvalidItems: some requests for tasks are invalid, each of which is named by its path.
    Raises InvalidBatch: the batch itself is.
    Raises KeyTakenByBatch: the key has another batch.
    Raises TypeClosed: a type accepts no tasks for now.
    """

    def __init__(
        self,
        begin: Begin,
        submission_builder: SubmissionBuilder,
        notifier: Notifier,
        finish: FinishBatches,
        max_task_time: int,
    ) -> None:
        self._begin = begin
        self._submission_builder = submission_builder
        self._notifier = notifier
        self._finish = finish
        self._max_task_time = max_task_time

    def checked(self, requests: Iterable[TaskRequest | UnreadableItem]) -> CheckedTasks:
        """Check the tasks, each before the next one is read. Raises InvalidItems, TypeClosed."""
        now = self._submission_builder.now()
        prints: list[str] = []
        try:
            noted = _noted(without_own_keys(requests), prints)
            return CheckedTasks(now, checked_submissions(self._submission_builder, noted, now), prints)
        except InvalidItems as error:
            raise error.under(TASKS_PATH) from None

    def __call__(self, request: BatchRequest, tasks: CheckedTasks) -> CreatedBatch:
        """Create the batch with these tasks, or find the one that an earlier request with the same key made."""
        self._check(request)
        new = NewBatch(
            now=tasks.now,
            ttl=self._max_task_time,
            name=request.name,
            labels=dump(request.labels) if request.labels else None,
            is_open=request.is_open,
            callback=request.callback,
            key=request.key,
            fingerprint=request.key and batch_fingerprint([_fingerprint(request), *tasks.fingerprints]),
        )
        created = self._stored(new, tasks.submissions)
        if created.is_new and tasks.submissions:
            self._notifier.notify(Topic.WAITING)
        if not tasks.submissions:
            self._finish([created.id])
        return created

    def _check(self, request: BatchRequest) -> None:
        """Raises InvalidBatch."""
        try:
            check_labels(request.labels)
            check_name(request.name)
            self._submission_builder.check_callback(request.callback)
        except CallbacksDisabled as error:
            raise InvalidBatch({"$.callback": [error]}) from None
        except InvalidLabel as error:
            raise InvalidBatch({f"$.labels.{error.name}": [f"it must be {error.expected}"]}) from None
        except InvalidOption as error:
            raise InvalidBatch({f"$.{error.option}": [f"it must be {error.expected}"]}) from None

    @retry_on_conflict
    def _stored(self, new: NewBatch, submissions: Sequence[Submission]) -> CreatedBatch:
        with self._begin() as work:
            batch = work.batches.add(new)
            if batch is None:
                return _found(work, new)
            added = work.tasks.add([replace(each, batch=batch.id) for each in submissions])
            ids = [task.id for task in added if task]
            if new.key is not None:
                work.batches.remember_ids(batch.id, ids)
            work.commit()
        return CreatedBatch(batch.id, ids, True)


def _found(work: UnitOfWork, new: NewBatch) -> CreatedBatch:
    """The batch that has the key."""
    assert new.key is not None
    record = work.batches.with_key(new.key)
    if record is None:
        # The batch was deleted in between, so the key is free by now.
        raise StorageConflict
    if record.fingerprint != new.fingerprint:
        raise KeyTakenByBatch(record.batch.id)
    return CreatedBatch(record.batch.id, record.ids, False)


def _noted(
    requests: Iterable[TaskRequest | UnreadableItem], prints: list[str]
) -> Iterator[TaskRequest | UnreadableItem]:
    """Note the fingerprint of each request."""
    for request in requests:
        if isinstance(request, TaskRequest):
            prints.append(fingerprint(request.type, request.args))
        yield request


def _fingerprint(request: BatchRequest) -> str:
    """A hash of what the batch itself is."""
    return digest(canonical([request.name, dict(request.labels), request.is_open, request.callback]))
