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
    """Celery with the settings of its optimizing guide for many short tasks."""

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
        """Do nothing: Redis has no tables."""

    def preload(self, number: int) -> None:
        """Store the tasks while the workers do not consume."""
        self.app.control.cancel_consumer(QUEUE, reply=True)
        self.results.flushdb()
        self.number = number
        with self.app.producer_pool.acquire(block=True) as producer:
            for _ in range(number):
                self.noop.apply_async(producer=producer)

    def release(self) -> None:
        self.app.control.add_consumer(QUEUE)

    def left(self) -> bool:
        """Whether there are fewer results than tasks: each ended task has one."""
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
