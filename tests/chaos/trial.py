"""A trial: the world under load while the schedule is carried out, then calm, and the history of it all."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from tests.chaos import ledger, runs
from tests.chaos.actions import ACTIONS
from tests.chaos.circumstances import Circumstances, all_claims
from tests.chaos.history import TaskHistory
from tests.chaos.load import Load, Record
from tests.chaos.schedule import Step, schedule
from tests.chaos.world import World

ENOUGH = 60
"""Tasks that wait or run; with more of them nothing new is submitted."""
PATIENCE = 120.0
"""Seconds after the chaos in which every task has to come to its end."""
TICK = 0.05

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What is left of a trial."""

    tasks: dict[int, TaskHistory]
    circumstances: Circumstances
    requests: Record
    surprises: set[str]
    done: Counter[str] = field(default_factory=Counter)
    logged: Counter[str] = field(default_factory=Counter)


def trial(folder: Path, seed: int, seconds: float, say: Say) -> Outcome:
    """Carry out the schedule of that seed in a world of its own in the folder."""
    record = Record()
    with closing(World(folder)) as world:
        world.await_ready()
        with Load(world.address, seed, record) as load:
            done = _carry_out(schedule(seed, seconds), seconds, world, load, say)
            world.calm()
        say("calm: everything is there again, and whatever waits or runs may come to its end")
        world.await_end_of_tasks(PATIENCE)
    return collect(world, record, done)


def collect(world: World, record: Record, done: Counter[str] | None = None) -> Outcome:
    """Read the records of a world that has ended."""
    world.server.start()
    try:
        tasks = histories(world, record)
    finally:
        world.server.close()
    circumstances = Circumstances(world.lease, world.processes, world.disturbances, all_claims(tasks.values()))
    return Outcome(tasks, circumstances, record, world.surprises, done or Counter(), _logged(world.logs))


def histories(world: World, record: Record) -> dict[int, TaskHistory]:
    """The history of every task, from the three records."""
    there = world.server.ids()
    tasks: dict[int, TaskHistory] = {}

    def of(id: int) -> TaskHistory:
        return tasks.setdefault(id, TaskHistory(id, is_there=id in there))

    with world.server.connection() as connection:
        for id, change in ledger.read(connection):
            of(id).changes.append(change)
    for id, run in runs.read(world.runs):
        of(id).runs.append(run)
    for asked, request in record.requests:
        if asked is not None:
            of(asked).requests.append(request)
    return tasks


def _carry_out(steps: Sequence[Step], seconds: float, world: World, load: Load, say: Say) -> Counter[str]:
    done: Counter[str] = Counter()
    waiting = list(reversed(steps))
    start = time.monotonic()
    while (now := time.monotonic() - start) < seconds:
        world.tend()
        if waiting and waiting[-1].moment <= now:
            step = waiting.pop()
            target = ACTIONS[step.action](world, step)
            done[step.action] += 1
            say(f"{now:7.2f} s  {step.action} {target} ({step.seconds:.1f} s)")
        elif not int(now / TICK) % 20:
            _look(world, load)
        time.sleep(TICK)
    return done


def _look(world: World, load: Load) -> None:
    """Whether the service has enough to do."""
    if not world.is_server_whole:
        return
    with suppress(psycopg2.Error):
        if world.server.count("waiting", "running") > ENOUGH:
            load.is_full.set()
        else:
            load.is_full.clear()


SAYINGS = {
    "late outcomes refused": "came late and was refused",
    "taken back by janitors": "took back task",
    "operations that failed": "an operation failed",
    "stacks in logs": "Traceback (most recent call last)",
}


def _logged(logs: Path) -> Counter[str]:
    """How often the processes said what is worth counting."""
    said = "\n".join(path.read_text(errors="replace") for path in logs.glob("*.log"))
    return Counter({name: said.count(saying) for name, saying in SAYINGS.items()})
