"""`python -m tests.chaos.limits [tasks] [seed]`: many tasks over limits of 1, 4 and 50, among faults."""

import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp

import httpx

from tests.chaos.actions import ACTIONS
from tests.chaos.experiment import collect
from tests.chaos.load import RequestLog
from tests.chaos.promises import limits, violations
from tests.chaos.schedule import Step
from tests.chaos.service import ServiceUnderTest

SHARES = {"one_at_once": 0.1, "four_at_once": 0.4, "fifty_at_once": 0.5}
SECONDS = {"one_at_once": 0.0, "four_at_once": 0.01, "fifty_at_once": 0.1}
"""Of each task."""
CHILDREN = "20"
"""Of each handler, so that all three together have room for more tasks than the highest limit."""
LEASE_SECONDS = 3.0
FAULTS = ("kill_handler", "freeze_handler", "break_connections", "kill_child", "freeze_host")
FAULT_PAUSE_SECONDS = 6.0
BATCH_TASKS = 5_000
MAX_DRAIN_SECONDS = 300.0


def run(tasks: int = 100_000, seed: int = 1) -> int:
    """Run the tasks while handlers are killed, frozen and cut off, and return the number of broken promises."""
    random, folder, log = Random(seed), Path(mkdtemp(prefix="chaos-limits-")), RequestLog()
    with closing(ServiceUnderTest(folder, handlers=3, lease=LEASE_SECONDS, HANDLER_CONCURRENCY=CHILDREN)) as service:
        service.await_ready()
        submit(service, tasks)
        began, faults = time.monotonic(), 0
        while left := service.server.count_unfinished():
            action, seconds = random.choice(FAULTS), random.uniform(0.5, 2 * LEASE_SECONDS)
            ACTIONS[action](service, Step(0.0, action, random.randrange(1000), seconds))
            faults += 1
            sys.stdout.write(f"{time.monotonic() - began:6.0f} s  {left:7,} left, {action} ({seconds:.1f} s)\n")
            pause = time.monotonic() + FAULT_PAUSE_SECONDS
            while time.monotonic() < pause:
                service.maintain()
                time.sleep(0.1)
        service.await_finished_tasks(MAX_DRAIN_SECONDS)
        sys.stdout.write(f"{tasks:,} tasks in {time.monotonic() - began:.0f} s, {faults} faults\n")
    result = collect(service, log)
    broken = violations(result.tasks, result.circumstances)
    highest = {type: limits.most_at_once(type, result.circumstances) for type in SHARES}
    sys.stdout.write(f"the most that ran at once: {highest}\n" + "".join(f"{each}\n" for each in broken[:20]))
    rmtree(folder)
    return len(broken)


def submit(service: ServiceUnderTest, tasks: int) -> None:
    for type, share in SHARES.items():
        left = round(tasks * share)
        while left:
            number = min(left, BATCH_TASKS)
            batch = [{"type": type, "args": {"seconds": SECONDS[type]}, "ttl": 86_400}] * number
            httpx.post(f"{service.address}/tasks", json=batch, timeout=60).raise_for_status()
            left -= number


if __name__ == "__main__":
    sys.exit(run(*map(int, sys.argv[1:])) != 0)
