"""Dependencies: tasks that wait for others and for a batch, beside as many independent ones; and a chain's links."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from statistics import median

from adapters.postgres import Database, PostgresStore
from application.ports.batches import NewBatch
from application.ports.unit_of_work import UnitOfWork
from benchmarks.comparison import Comparison, Side
from benchmarks.drain import CHILDREN, IS_EMPTY, drained
from benchmarks.service import migrated, process, query, wait_until_true
from domain.dependencies import Dependencies
from domain.ids import BatchId, TaskId, TypeName
from domain.instants import after
from domain.submission import Submission

MANY, LINKS = 10_000, 1_000
TASKS_OF_STATEMENT = 1_000
HELD_BACK_SECONDS = 3600
"""Seconds until the parents would start: they are let go together, when all tasks are there."""
TTL_SECONDS = 86_400
LET_GO = "UPDATE tasks SET run_at = now() WHERE run_at < now() + interval '1 day'"
STARTS = "SELECT array_agg(extract(epoch FROM started)::float8 ORDER BY id) FROM tasks"

Build = Callable[[UnitOfWork], object]
"""Adds the tasks of one measurement."""


def comparisons() -> Iterator[Comparison]:
    """Yield one to many, many to one, a batch with a follower, and the links of a chain."""
    with migrated() as url, process("handler", url, HANDLER_CONCURRENCY=str(CHILDREN)):
        for name, build in {
            f"one task before {MANY:,}": one_to_many,
            f"{MANY:,} tasks before one": many_to_one,
            f"a batch of {MANY:,}, then one": batch_with_follower,
        }.items():
            yield Comparison(
                name=name,
                unit="s",
                ours=Side(f"1 handler, {CHILDREN} children", partial(seconds, url, build)),
                reference=Side("independent no-ops", lambda: (MANY + 1) / drained(url, MANY + 1)),
                more_is_better=False,
                must=2.0,
            )
        yield Comparison(
            name=f"a chain of {LINKS:,} tasks, median of a link",
            unit="ms",
            ours=Side(f"1 handler, {CHILDREN} children", partial(milliseconds_of_a_link, url)),
            more_is_better=False,
            must=8.0,
        )


def seconds(url: str, build: Build) -> float:
    """Build the tasks, let those go that wait for none, and measure the time until all have ended."""
    query(url, "TRUNCATE tasks, attempts, batches")
    database = Database(url)
    with PostgresStore(database).begin() as work:
        build(work)
        work.commit()
    database.close()
    query(url, "ANALYZE tasks, dependencies")
    query(url, LET_GO)
    query(url, "NOTIFY flask_tasks, 'waiting'")
    began = time.perf_counter()
    wait_until_true(url, IS_EMPTY)
    return time.perf_counter() - began


def milliseconds_of_a_link(url: str) -> float:
    """The median time from the start of a task to that of the one after it."""
    seconds(url, chain)
    starts: Sequence[float] = query(url, STARTS)
    return median(after - before for before, after in pairwise(starts)) * 1000


def one_to_many(work: UnitOfWork) -> None:
    """Many tasks after one."""
    parents = add(work, 1)
    add(work, MANY, parents)


def many_to_one(work: UnitOfWork) -> None:
    """One task after many."""
    parents = add(work, MANY)
    add(work, 1, parents)


def chain(work: UnitOfWork) -> None:
    """Each task after the one before it."""
    ids = [*add(work, 1), *add(work, LINKS, [])]
    work.dependencies.add({after: _waits([before]) for before, after in pairwise(ids)})


def batch_with_follower(work: UnitOfWork) -> None:
    """A batch of many tasks, and one that starts when it has finished."""
    batch = work.batches.add(NewBatch(now=datetime.now(UTC), ttl=TTL_SECONDS))
    assert batch
    add(work, MANY, batch=batch.id)
    (follower,) = add(work, 1, [])
    work.batches.remember(batch.id, [], follower)


def add(
    work: UnitOfWork, number: int, parents: Sequence[TaskId] | None = None, batch: BatchId | None = None
) -> Sequence[TaskId]:
    """Add no-ops. None waits for nothing, but is held back; with parents they are blocked until these have ended."""
    now = datetime.now(UTC)
    new = Submission(
        type=TypeName("noop"),
        args="{}",
        now=now,
        ttl=TTL_SECONDS,
        run_at=after(now, HELD_BACK_SECONDS),
        batch=batch,
        dependencies=None if parents is None else _waits(parents),
    )
    ids = [
        task.id
        for first in range(0, number, TASKS_OF_STATEMENT)
        for task in work.tasks.add([new] * min(TASKS_OF_STATEMENT, number - first))
        if task
    ]
    if parents:
        work.dependencies.add(dict.fromkeys(ids, _waits(parents)))
    return ids


def _waits(parents: Sequence[TaskId]) -> Dependencies:
    return Dependencies(parents=frozenset(parents))
