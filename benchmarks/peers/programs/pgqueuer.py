"""PgQueuer: one asyncio process for each worker, batches of a hundred, its fastest driver and preferred event loop."""

from collections.abc import Callable

import asyncpg
import uvloop
from pgqueuer import PgQueuer, Queries
from pgqueuer.models import Job

from benchmarks.peers.programs.on_postgres import OnPostgres
from benchmarks.peers.programs.program import clock, main

BATCH = 100


class OnPgQueuer(OnPostgres):
    """PgQueuer. Its tables are logged, as by default, so its commits are as durable as ours."""

    package = "pgqueuer"
    tables = "pgqueuer, pgqueuer_log, pgqueuer_statistics"
    fill = """
        WITH added AS (
            INSERT INTO pgqueuer (priority, entrypoint, status)
            SELECT 0, %(name)s, 'queued' FROM generate_series(1, %(number)s)
            RETURNING id, entrypoint, priority
        )
        INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
        SELECT id, 'queued', entrypoint, priority FROM added
    """
    some_left = "SELECT EXISTS (SELECT FROM pgqueuer)"

    def migrate(self) -> None:
        uvloop.run(install(self.address))

    def work(self, ready: Callable[[], None]) -> None:
        uvloop.run(run(self.address, ready))


async def install(address: str) -> None:
    """Make its tables."""
    await Queries.from_asyncpg_connection(await asyncpg.connect(address)).install()


async def run(address: str, ready: Callable[[], None]) -> None:
    """Run tasks for ever."""
    queue = PgQueuer.from_asyncpg_connection(await asyncpg.connect(address))
    queue.entrypoint("noop")(noop)
    queue.entrypoint("clock")(tell)
    ready()
    await queue.run(batch_size=BATCH)


async def noop(job: Job) -> None:
    """Do nothing. A coroutine, since a plain function would go to a thread."""


async def tell(job: Job) -> None:
    """Print the time at which it runs."""
    clock()


if __name__ == "__main__":
    main(OnPgQueuer)
