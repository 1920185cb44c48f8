"""Standstills: no task is taken from a live handler while the server or another process is frozen."""

import time
from pathlib import Path

from tests.chaos.scenario import scenario
from tests.e2e.service import eventually

LEASE_SECONDS = 1.0
STANDSTILL_SECONDS = 3.0
"""Longer than a lease."""
TASK_SECONDS = 5.0


def test_a_frozen_server_takes_no_task_from_live_handlers(tmp_path: Path):
    with scenario(tmp_path, handlers=2, janitors=2, lease=LEASE_SECONDS) as it:
        for _ in range(4):
            it.submit("sleeps", seconds=TASK_SECONDS)
        eventually(lambda: len(it.runs()) == 4)
        time.sleep(LEASE_SECONDS)
        it.service.server.freeze()
        time.sleep(STANDSTILL_SECONDS)
        it.service.server.resume()
    assert it.broken_promises == set()


def test_a_process_frozen_within_a_transaction_takes_no_task_from_live_handlers(tmp_path: Path):
    with scenario(tmp_path, handlers=2, janitors=2, lease=LEASE_SECONDS) as it:
        for _ in range(4):
            it.submit("sleeps", seconds=TASK_SECONDS)
        eventually(lambda: len(it.runs()) == 4)
        release = it.service.server.hold_rows(1)
        time.sleep(STANDSTILL_SECONDS)
        release()
    assert it.broken_promises == set()
