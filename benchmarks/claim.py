"""A claim of a hundred tasks and its settlement in a large table, beside the same with a thousand waiting tasks alone.

Claimed tasks are settled, and as many new ones wait in their place: the depth stays as it is. Cursors are kept as a
handler keeps them: claims from the beginning are as few as there, and the median is one of the others.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median

import psycopg2

from adapters.postgres import Database, PostgresAutocommitStore
from application.ports.queue import ClaimRequest
from application.supervisor.claim_cursors import ClaimCursors
from benchmarks.comparison import Comparison, Side
from benchmarks.service import migrated
from domain.ids import HandlerId, TypeName
from domain.lease import Lease
from domain.settlement import Settlement

ROWS, SHALLOW_ROWS = 1_000_000, 1_000
CYCLED_TASKS = 150_000
"""Tasks that were claimed and settled before, without any vacuum since."""
BATCH, CLAIMS = 100, 20
REQUEST = ClaimRequest({TypeName("noop"): BATCH}, BATCH, 10**9, BATCH)

INSERT = """
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses,
        status, finished, result)
    SELECT {type}, '{{}}', now(), {run_at}, now() + interval '30 days', 86400, 0, 1, 3, {end}
    FROM generate_series(1, %s)
"""
WITHOUT_TRIGGERS = "SET session_replication_role = replica; {insert}; RESET session_replication_role"
WAITS, IS_DONE = "'waiting', NULL, NULL", "'done', now(), 'null'"
WAITING = INSERT.format(type="'noop'", run_at="now()", end=WAITS)
SITUATIONS: Mapping[str, str] = {
    "waiting": WAITING,
    "delayed": INSERT.format(type="'noop'", run_at="now() + interval '1 day'", end=WAITS),
    "of other types": INSERT.format(type="'foreign'", run_at="now()", end=WAITS),
    "finished": INSERT.format(type="'noop'", run_at="now()", end=IS_DONE),
}
NO_VACUUM = "ALTER TABLE tasks SET (autovacuum_enabled = false)"


class Queue:
    """The queue of one database, as a long-lived handler uses it."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._storage = PostgresAutocommitStore(self._database)
        self._more = psycopg2.connect(url)
        self._more.autocommit = True
        self._cursors = ClaimCursors()

    def fill(self, insert: str, rows: int) -> None:
        """Insert that many rows and a thousand waiting tasks, and disable autovacuum."""
        with self._more.cursor() as cursor:
            cursor.execute(NO_VACUUM)
            cursor.execute(WITHOUT_TRIGGERS.format(insert=insert), (rows,))
            cursor.execute(WAITING, (SHALLOW_ROWS,))
            cursor.execute("VACUUM ANALYZE tasks")

    def cycle(self) -> tuple[float, float]:
        """Return the milliseconds of a claim and of the settlement of its tasks, each with its commit."""
        now = datetime.now(UTC)
        request = replace(REQUEST, cursors=self._cursors.usable(time.monotonic()))
        began = time.perf_counter()
        claimed = self._storage.claim(Lease.granted(HandlerId("bench"), now, 30), now, request)
        claim = time.perf_counter() - began
        self._cursors.advance(claimed)
        if not request.cursors:
            self._cursors.full_claim_ended(time.monotonic(), claim)
        settlements = [Settlement.succeeded(each.task, now, "null") for each in claimed]
        began = time.perf_counter()
        self._storage.settle(settlements)
        settle = time.perf_counter() - began
        with self._more.cursor() as cursor:
            cursor.execute(WAITING, (len(claimed),))
        assert len(claimed) == BATCH
        return 1000 * claim, 1000 * settle

    def claiming(self) -> float:
        """Median milliseconds of a claim."""
        return median(self.cycle()[0] for _ in range(CLAIMS))

    def settling(self) -> float:
        """Median milliseconds of a settlement."""
        return median(self.cycle()[1] for _ in range(CLAIMS))

    def close(self) -> None:
        """Close the connections."""
        self._more.close()
        self._database.close()


@contextmanager
def queue(insert: str = WAITING, rows: int = 0, cycles: int = 0, *, beside_snapshot: bool = False) -> Iterator[Queue]:
    """Yield a queue with that many rows, after that many cycles."""
    with migrated() as url, closing(Queue(url)) as opened, snapshot(url) if beside_snapshot else nullcontext():
        opened.fill(insert, rows)
        for _ in range(cycles):
            opened.cycle()
        yield opened


@contextmanager
def snapshot(url: str) -> Iterator[None]:
    """Hold a snapshot open, as a dump does."""
    connection = psycopg2.connect(url)
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    connection.cursor().execute("SELECT FROM tasks LIMIT 1")
    yield
    connection.close()


def beside(
    what: str, ours: Queue, reference: Queue, *, must: float, aim: float, name: str = "none of that"
) -> Iterator[Comparison]:
    """Yield the comparisons of a claim and of a settlement."""
    yield Comparison(
        name=f"a claim, {what}",
        unit="ms",
        ours=Side(what, ours.claiming),
        reference=Side(name, reference.claiming),
        more_is_better=False,
        must=must,
        aim=aim,
    )
    yield Comparison(
        name=f"a settlement, {what}",
        unit="ms",
        ours=Side(what, ours.settling),
        reference=Side(name, reference.settling),
        more_is_better=False,
    )


def comparisons(rows: int = ROWS, cycled: int = CYCLED_TASKS) -> Iterator[Comparison]:
    """Yield those for each kind of row that may be numerous, then those for dead rows of settled tasks."""
    with ExitStack() as stack:
        shallow = stack.enter_context(queue())
        for name, insert in SITUATIONS.items():
            with queue(insert, rows) as deep:
                yield from beside(f"{rows:,} {name}", deep, shallow, must=1.5, aim=1.1)
        used = stack.enter_context(queue(cycles=cycled // BATCH))
        yield from beside(f"{cycled:,} done, no vacuum", used, shallow, must=3, aim=1.5)
        with queue(cycles=cycled // BATCH, beside_snapshot=True) as seen:
            what = f"{cycled:,} done, in an open snapshot"
            yield from beside(what, seen, used, must=3, aim=1.5, name="no snapshot")
