"""Whole transactions over a store, as the tests of several suites take them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from application.ports.queue import ClaimedRecord, ClaimRequest, Cursor, ProgressReport
from application.ports.task_repository import TaskRecord
from application.ports.unit_of_work import Begin
from domain.failure import Failure
from domain.ids import HandlerId, Hold, IdempotencyKey, TaskId, TypeName
from domain.lease import Lease
from domain.options import Options
from domain.retry import RetryPolicy
from domain.settlement import Settlement
from domain.submission import Submission
from domain.task import Task

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HANDLER = HandlerId("handler-1")
ADD = TypeName("add")
PLAIN = RetryPolicy(first=10, spread=0)
BOOM = Failure("ValueError", "boom", traceback="Traceback …")


def at(seconds: float) -> datetime:
    """That many seconds after NOW."""
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
    )


def add(begin: Begin, *submissions: Submission) -> Sequence[Task]:
    tasks = add_once(begin, *submissions)
    assert None not in tasks
    return tasks  # type: ignore[return-value]


def add_once(begin: Begin, *submissions: Submission) -> Sequence[Task | None]:
    with begin() as work:
        tasks = work.tasks.add(submissions)
        work.commit()
    return tasks


def add_one(begin: Begin, *args: Any, **options: Any) -> Task:
    (task,) = add(begin, submission(*args, **options))
    return task


def claim(
    begin: Begin,
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
    types = {TypeName(name): most for name, most in (wanted or {ADD: 1000}).items()}
    with begin() as work:
        places = {
            (TypeName(type), n): Cursor(run_at, TaskId(id)) for (type, n), (run_at, id) in (cursors or {}).items()
        }
        how = ClaimRequest(types, limit, max_bytes, starting, frozenset(map(TypeName, slow)), max_slow, places)
        claimed = work.queue.claim(Lease.granted(HandlerId(handler), now, lease), now, how)
        work.commit()
    return claimed


def claim_one(begin: Begin, **how: Any) -> Task:
    (claimed,) = claim(begin, 1, **how)
    return claimed.task


def settle(begin: Begin, *settlements: Settlement) -> Sequence[TaskId]:
    with begin() as work:
        refused = work.queue.settle(settlements)
        work.commit()
    return refused


def succeed(begin: Begin, task: Task, now: datetime = NOW, result: str = "1") -> Sequence[TaskId]:
    return settle(begin, Settlement.succeeded(task, now, result))


def fail(begin: Begin, task: Task, now: datetime = NOW, failure: Failure = BOOM) -> Sequence[TaskId]:
    return settle(begin, Settlement.failed(task, now, failure, PLAIN, 0))


def rescue(begin: Begin, now: datetime, limit: int = 100) -> Sequence[Task]:
    with begin() as work:
        settlements = [Settlement.lost(task, now) for task in work.queue.lapsed(now, limit)]
        assert not work.queue.settle(settlements)
        work.commit()
    return [settlement.task for settlement in settlements]


def take_back(begin: Begin, handler: HandlerId, now: datetime, limit: int = 100) -> Sequence[Task]:
    with begin() as work:
        settlements = [Settlement.lost(task, now) for task in work.queue.running_under(handler, limit)]
        assert not work.queue.settle(settlements)
        work.commit()
    return [settlement.task for settlement in settlements]


def renew(begin: Begin, holds: Sequence[Hold], now: datetime, handler: str = HANDLER) -> Sequence[Hold]:
    with begin() as work:
        unrenewed = work.queue.renew(holds, Lease.granted(HandlerId(handler), now, 30))
        work.commit()
    return unrenewed.lost


def report(begin: Begin, *reports: ProgressReport) -> None:
    with begin() as work:
        work.queue.report(reports)
        work.commit()


def save(begin: Begin, task: Task) -> None:
    with begin() as work:
        assert work.tasks.lock(task.id)
        work.tasks.save(task)
        work.commit()


def stored(begin: Begin, id: int) -> TaskRecord:
    with begin() as work:
        found = work.tasks.get(TaskId(id))
    assert found is not None
    return found


def task(begin: Begin, id: int) -> Task:
    return stored(begin, id).task


def ids(claimed: Sequence[ClaimedRecord]) -> list[int]:
    return [each.task.id for each in claimed]
