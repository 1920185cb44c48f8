"""Nothing is taken from a handler that lives where others stand still, and nobody's connection breaks."""

import time
from pathlib import Path

from tests.chaos.scenario import scenario
from tests.e2e.service import eventually

LEASE = 1.0
STANDSTILL = 3.0
"""Seconds, longer than a lease."""
RUN = 5.0


def test_a_server_that_stands_still_takes_nothing_from_handlers_that_live(tmp_path: Path):
    with scenario(tmp_path, handlers=2, janitors=2, lease=LEASE) as it:
        for _ in range(4):
            it.submit("sleeps", seconds=RUN)
        eventually(lambda: len(it.runs()) == 4)
        time.sleep(LEASE)
        it.world.server.freeze()
        time.sleep(STANDSTILL)
        it.world.server.thaw()
    assert it.broken == set()


def test_who_stands_still_within_a_transaction_takes_nothing_from_handlers_that_live(tmp_path: Path):
    with scenario(tmp_path, handlers=2, janitors=2, lease=LEASE) as it:
        for _ in range(4):
            it.submit("sleeps", seconds=RUN)
        eventually(lambda: len(it.runs()) == 4)
        let_go = it.world.server.hold_rows(1)
        time.sleep(STANDSTILL)
        let_go()
    assert it.broken == set()
