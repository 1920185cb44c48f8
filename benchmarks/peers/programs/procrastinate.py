"""Procrastinate: one asyncio process for each worker, several tasks at a time."""

import asyncio
from collections.abc import Callable

from procrastinate import App, PsycopgConnector

from benchmarks.peers.programs.on_postgres import OnPostgres
from benchmarks.peers.programs.program import clock, main

AT_A_TIME = 10


class OnProcrastinate(OnPostgres):
    """Procrastinate. It fetches and finishes single tasks: several at a time keep its connections busy."""

    package = "procrastinate"
    tables = "procrastinate_jobs"
    fill = """
        SELECT procrastinate_defer_jobs_v1(
            array_agg(ROW('default', %(name)s, 0, NULL, NULL, '{}', NULL)::procrastinate_job_to_defer_v1)
        )
        FROM generate_series(1, %(number)s)
    """
    some_left = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"

    def migrate(self) -> None:
        with self.app().open() as app:
            app.schema_manager.apply_schema()

    def work(self, ready: Callable[[], None]) -> None:
        asyncio.run(run(self.app(), ready))

    def app(self) -> App:
        """The application with both tasks."""
        app = App(connector=PsycopgConnector(conninfo=self.address, min_size=AT_A_TIME, max_size=AT_A_TIME + 5))
        app.task(name="noop")(noop)
        app.task(name="clock")(tell)
        return app


async def run(app: App, ready: Callable[[], None]) -> None:
    """Run tasks for ever."""
    async with app.open_async():
        ready()
        await app.run_worker_async(concurrency=AT_A_TIME)


async def noop() -> None:
    """Do nothing. A coroutine, since a plain function would go to a thread."""


async def tell() -> None:
    """Print the time at which it runs."""
    clock()


if __name__ == "__main__":
    main(OnProcrastinate)
