"""Oban for Python: one asyncio process for each worker, with the event loop that its own command uses."""

import asyncio
from collections.abc import Callable

import uvloop
from oban import Oban, job
from oban.schema import install_sql

from benchmarks.peers.programs import program
from benchmarks.peers.programs.on_postgres import OnPostgres

AT_A_TIME = 500

# It finds a function by the name of its module.
job()(program.noop)
job()(program.clock)


class OnOban(OnPostgres):
    """Oban. It fetches as many tasks as it may run at a time, and acknowledges them in one transaction."""

    package = "oban"
    tables = "oban_jobs"
    fill = """
        WITH added AS (
            INSERT INTO oban_jobs (worker)
            SELECT 'benchmarks.peers.programs.program.' || %(name)s FROM generate_series(1, %(number)s)
            RETURNING id
        )
        SELECT pg_notify('public.oban_insert', '{"queue":"default"}') FROM (SELECT count(*) FROM added) AS all_of_them
    """
    some_left = "SELECT EXISTS (SELECT FROM oban_jobs WHERE state IN ('available', 'executing'))"

    def migrate(self) -> None:
        self.asked(install_sql())

    def work(self, ready: Callable[[], None]) -> None:
        uvloop.run(run(self.address, ready))


async def run(address: str, ready: Callable[[], None]) -> None:
    """Run tasks for ever."""
    pool = await Oban.create_pool(address)
    async with Oban(pool=pool, queues={"default": AT_A_TIME}):
        ready()
        await asyncio.Event().wait()


if __name__ == "__main__":
    program.main(OnOban)
