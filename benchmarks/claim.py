"""A claim of a hundred at great depth, beside one at a thousand waiting tasks."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from statistics import median

from adapters.postgres import Database, PostgresStore
from application.ports.queue import Wanted
from benchmarks.comparison import Comparison, Side
from benchmarks.service import asked, migrated
from domain.ids import HandlerId, TypeName
from domain.lease import Lease

DEEP, SHALLOW = 1_000_000, 1_000
BATCH, CLAIMS = 100, 20
WANTED = Wanted({TypeName("noop"): BATCH}, BATCH, 10**9, BATCH)

INSERT = """
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses,
        status, finished, result)
    SELECT {type}, '{{}}', now(), {run_at}, now() + interval '30 days', 86400, 0, 1, 3, {end}
    FROM generate_series(1, %s)
"""
WAITS, IS_DONE = "'waiting', NULL, NULL", "'done', now(), 'null'"
SITUATIONS: Mapping[str, str] = {
    "waiting": INSERT.format(type="'noop'", run_at="now()", end=WAITS),
    "delayed": INSERT.format(type="'noop'", run_at="now() + interval '1 day'", end=WAITS),
    "of other types": INSERT.format(type="'foreign'", run_at="now()", end=WAITS),
    "finished": INSERT.format(type="'noop'", run_at="now()", end=IS_DONE),
}


def milliseconds(url: str) -> float:
    """What a claim takes in the middle of some, each undone again."""
    database = Database(url)
    begin = PostgresStore(database).begin
    took = []
    for _ in range(CLAIMS):
        now = datetime.now(UTC)
        with begin() as work:
            began = time.perf_counter()
            claimed = work.queue.claim(Lease.granted(HandlerId("bench"), now, 30), now, WANTED)
            took.append(time.perf_counter() - began)
        assert len(claimed) == BATCH
    database.close()
    return 1000 * median(took)


def comparisons() -> Iterator[Comparison]:
    """One for each thing that there may be many of."""
    with ExitStack() as stack:
        shallow = stack.enter_context(migrated())
        asked(shallow, SITUATIONS["waiting"], SHALLOW)
        asked(shallow, "ANALYZE tasks")
        for name, insert in SITUATIONS.items():
            with migrated() as deep:
                asked(deep, insert, DEEP)
                asked(deep, SITUATIONS["waiting"], SHALLOW)
                asked(deep, "ANALYZE tasks")
                yield Comparison(
                    name=f"a claim, {DEEP:,} {name}",
                    unit="ms",
                    ours=Side(f"{DEEP:,} {name}", partial(milliseconds, deep)),
                    reference=Side(f"{SHALLOW:,} waiting", partial(milliseconds, shallow)),
                    more_is_better=False,
                    must=1.5,
                    aim=1.1,
                )
