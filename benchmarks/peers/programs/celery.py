"""Celery: a worker with two processes, messages and results in Redis."""

import os
from collections.abc import Callable

from celery import Celery
from celery.signals import worker_ready
from redis import Redis

from benchmarks.peers.programs import program

CHILDREN = 2
PREFETCHED = 128
QUEUE = "bench"


class OnCelery(program.Program):
    """Its settings are those that its guide to optimizing names for many short tasks."""

    package = "celery"

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.app = Celery("bench", broker=f"{address}/0", backend=f"{address}/1")
        self.app.conf.update(
            task_default_queue=QUEUE, worker_prefetch_multiplier=PREFETCHED, worker_disable_rate_limits=True
        )
        self.noop = self.app.task(name="noop")(program.noop)
        self.clock = self.app.task(name="clock")(program.clock)
        self.results = Redis.from_url(f"{address}/1")
        self.number = 0

    def migrate(self) -> None:
        """Redis needs nothing."""

    def preload(self, number: int) -> None:
        """The workers are told to look away meanwhile."""
        self.app.control.cancel_consumer(QUEUE, reply=True)
        self.results.flushdb()
        self.number = number
        with self.app.producer_pool.acquire(block=True) as producer:
            for _ in range(number):
                self.noop.apply_async(producer=producer)

    def release(self) -> None:
        self.app.control.add_consumer(QUEUE)

    def left(self) -> bool:
        """Each that has ended has a result."""
        return int(self.results.dbsize()) < self.number

    def submit(self) -> None:
        self.clock.apply_async()

    def work(self, ready: Callable[[], None]) -> None:
        worker_ready.connect(lambda **_: ready(), weak=False)
        name = f"--hostname={os.getpid()}@%h"
        alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        self.app.worker_main(["--quiet", "worker", name, f"--concurrency={CHILDREN}", "--loglevel=ERROR", *alone])


if __name__ == "__main__":
    program.main(OnCelery)
