"""An outage of the database longer than a lease, under load, of every kind: nothing is lost, and nothing repeated."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.chaos.load import Load
from tests.chaos.scenario import Scenario, scenario
from tests.chaos.world import World

SECONDS = float(os.environ.get("OUTAGE_SECONDS", "3.5"))
LEASE = SECONDS / 2
QUIET = SECONDS / 5
"""Seconds of load before and after."""

Outage = tuple[Callable[[World], None], Callable[[World], None]]


def swallow(world: World) -> None:
    for slot in world.slots:
        slot.line.swallow()


def restore(world: World) -> None:
    for slot in world.slots:
        slot.line.restore()


OUTAGES: dict[str, Outage] = {
    "killed": (lambda world: world.server.end(signal.SIGKILL), lambda world: world.server.start()),
    "shut down": (lambda world: world.server.end(signal.SIGINT), lambda world: world.server.start()),
    "stopped where it is": (lambda world: world.server.freeze(), lambda world: world.server.thaw()),
    "unreachable": (swallow, restore),
}


def answered(it: Scenario, seconds: float) -> set[int]:
    """The codes with which the API answers meanwhile; every error says when to try again."""
    codes = set()
    end = time.monotonic() + seconds
    with httpx.Client(base_url=it.world.address, timeout=60) as client:
        while time.monotonic() < end:
            with suppress(httpx.TransportError):
                answer = client.post("/task/new/sleeps", json={"seconds": 0.1})
                codes.add(answer.status_code)
                assert answer.status_code == 201 or answer.headers["Retry-After"]
            it.world.tend()
            time.sleep(0.1)
    return codes


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_loses_nothing_and_repeats_nothing_that_runs(tmp_path: Path, outage: str):
    begin, end = OUTAGES[outage]
    with scenario(tmp_path, handlers=2, janitors=2, lease=LEASE) as it, Load(it.world.address, 7, it.record):
        for _ in range(2):
            it.submit("sleeps", seconds=SECONDS * 1.2)
        time.sleep(QUIET)
        over = it.world.begin("outage_of_server", None)
        begin(it.world)
        codes = answered(it, SECONDS)
        end(it.world)
        over()
        time.sleep(QUIET)
    assert it.broken == set()
    assert 503 in codes or SECONDS < 15, "who hangs is given up after a while"
