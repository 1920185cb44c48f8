"""A scenario: a world in which a test does things by hand, and the promises that were broken by them."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.chaos import runs
from tests.chaos.history import Request, Run
from tests.chaos.load import Record
from tests.chaos.promises import violations
from tests.chaos.trial import collect
from tests.chaos.world import World

PATIENCE = 60.0


class Scenario:
    """What can be done in it; `broken` is filled when it is over."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.record = Record()
        self.broken: set[str] = set()

    def submit(self, type: str, **args: Any) -> int:
        """A task."""
        asked = time.time()
        answer = httpx.post(f"{self.world.address}/task/new/{type}", json=args)
        id: int = answer.json()["id"]
        self.record.add(id, Request("submit", asked, time.time(), answer.status_code))
        return id

    def runs(self) -> list[Run]:
        """What has begun so far."""
        return [run for _, run in runs.read(self.world.runs)]


@contextmanager
def scenario(folder: Path, **options: Any) -> Iterator[Scenario]:
    """After the block every task may come to its end, and the promises are checked."""
    with closing(World(folder, **options)) as world:
        world.await_ready()
        it = Scenario(world)
        yield it
        world.await_end_of_tasks(PATIENCE)
        time.sleep(0.5)  # for what comes too late
    outcome = collect(world, it.record)
    it.broken.update(each.promise for each in violations(outcome.tasks.values(), outcome.circumstances))
