"""Steps over a storage that the tests of several suites share: each is taken as the application takes it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from application.conflict_retry import retry_on_conflict
from application.ports.queue import ClaimedRecord, ClaimRequest, Cursor, ProgressReport
from application.ports.task_repository import TaskRecord
from domain.dependencies import Dependencies
from domain.failure import Failure
from domain.handler_death import settlements_after_death
from domain.ids import BatchId, HandlerId, Hold, IdempotencyKey, Lane, TaskId, TypeName
from domain.lease import Lease
from domain.options import Options
from domain.retry import RetryPolicy
from domain.settlement import Settlement
from domain.submission import Submission
from domain.task import Task
from domain.traceparent import Traceparent
from tests.storage import Storage

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HANDLER = HandlerId("handler-1")
ADD = TypeName("add")
PLAIN = RetryPolicy(first=10, spread=0)
BOOM = Failure("ValueError", "boom", traceback="Traceback …")


def at(seconds: float) -> datetime:
    """Return the moment that many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def submission(
    type: str = ADD,
    args: str = "{}",
    *,
    now: datetime = NOW,
    ttl: int = 600,
    run_at: datetime | None = None,
    key: str | None = None,
    fingerprint: str | None = None,
    terms: tuple[int, ...] = (),
    lane: Lane | None = None,
    labels: str | None = None,
    batch: int | None = None,
    dependencies: Dependencies | None = None,
    traceparent: Traceparent | None = None,
    **options: Any,
) -> Submission:
    return Submission(
        type=TypeName(type),
        args=args,
        now=now,
        ttl=ttl,
        run_at=run_at,
        key=None if key is None else IdempotencyKey(key),
        fingerprint=fingerprint,
        options=Options(**options),
        terms=terms,
        lane=lane,
        labels=labels,
        batch=None if batch is None else BatchId(batch),
        dependencies=dependencies,
        traceparent=traceparent,
    )


def add(storage: Storage, *submissions: Submission) -> Sequence[Task]:
    """Add tasks, none of which has a key that is taken."""
    tasks = add_once(storage, *submissions)
    assert None not in tasks
    return tasks  # type: ignore[return-value]


def add_once(storage: Storage, *submissions: Submission) -> Sequence[Task | None]:
    """Add tasks; None for each whose key is taken."""
    return storage.autocommit.add(submissions)


def add_one(storage: Storage, *args: Any, **options: Any) -> Task:
    (task,) = add(storage, submission(*args, **options))
    return task


def claim(
    storage: Storage,
    limit: int = 100,
    *,
    now: datetime = NOW,
    wanted: Mapping[str, int] | None = None,
    handler: str = HANDLER,
    lease: float = 30,
    max_bytes: int = 10**9,
    starting: int = 1000,
    slow: Collection[str] = (),
    max_slow: int = 0,
    cursors: Mapping[tuple[str, int], tuple[datetime, int]] | None = None,
) -> Sequence[ClaimedRecord]:
    request = ClaimRequest(
        {TypeName(name): most for name, most in (wanted or {ADD: 1000}).items()},
        limit,
        max_bytes,
        starting,
        frozenset(map(TypeName, slow)),
        max_slow,
        {(TypeName(type), n): Cursor(run_at, TaskId(id)) for (type, n), (run_at, id) in (cursors or {}).items()},
    )
    return storage.autocommit.claim(Lease.granted(HandlerId(handler), now, lease), now, request)


def claim_one(storage: Storage, **how: Any) -> Task:
    (claimed,) = claim(storage, 1, **how)
    return claimed.task


@retry_on_conflict
def settle(storage: Storage, *settlements: Settlement) -> Sequence[TaskId]:
    """Settle, and wait again for a lock after each moment that was too short."""
    return storage.autocommit.settle(settlements).refused


def succeed(storage: Storage, task: Task, now: datetime = NOW, result: str = "1") -> Sequence[TaskId]:
    return settle(storage, Settlement.succeeded(task, now, result))


def fail(storage: Storage, task: Task, now: datetime = NOW, failure: Failure = BOOM) -> Sequence[TaskId]:
    return settle(storage, Settlement.failed(task, now, failure, PLAIN, 0))


def rescue(storage: Storage, now: datetime, limit: int = 100) -> Sequence[Task]:
    """Take back tasks whose lease has lapsed."""
    lapsed = [lease for lease in storage.autocommit.observe_leases().leases if lease.has_lapsed(now)]
    with storage.begin() as work:
        settlements = settlements_after_death(work.queue.lapsed(lapsed, limit), now)
        assert not work.queue.settle(settlements)
        work.commit()
    return [settlement.task for settlement in settlements]


def take_back(storage: Storage, handler: HandlerId, now: datetime, limit: int = 100) -> Sequence[Task]:
    """Take back tasks of a handler whose process has ended."""
    with storage.begin() as work:
        settlements = settlements_after_death(work.queue.running_under(handler, limit), now)
        assert not work.queue.settle(settlements)
        work.commit()
    return [settlement.task for settlement in settlements]


def renew(storage: Storage, holds: Sequence[Hold], now: datetime, handler: str = HANDLER) -> Sequence[Hold]:
    """Renew leases, and return the holds that are lost."""
    with storage.begin() as work:
        unrenewed = work.queue.renew(holds, Lease.granted(HandlerId(handler), now, 30))
        work.commit()
    return unrenewed.lost


def report(storage: Storage, *reports: ProgressReport) -> None:
    with storage.begin() as work:
        work.queue.report(reports)
        work.commit()


def save(storage: Storage, task: Task) -> None:
    with storage.begin() as work:
        assert work.tasks.lock(task.id)
        work.tasks.save(task)
        work.commit()


def stored(storage: Storage, id: int) -> TaskRecord:
    """Return the record of a task as its view shows it."""
    return storage.autocommit.get_many([TaskId(id)])[TaskId(id)]


def task(storage: Storage, id: int) -> Task:
    return stored(storage, id).task


def ids(claimed: Sequence[ClaimedRecord]) -> list[int]:
    return [each.task.id for each in claimed]
