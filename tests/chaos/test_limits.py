"""Limits over several handlers: they hold while handlers die and freeze, and the lock is what they rest on."""

import signal
import time
from pathlib import Path

import httpx

from tests.chaos.scenario import Scenario, scenario

LEASE_SECONDS = 2.0
TASKS = 40
TYPES = ("one_at_once", "four_at_once")
FAULT_SECONDS = 0.7


def submit_all(it: Scenario) -> None:
    """Submit tasks while their types are paused, and let them all start at one moment."""
    limits = [f"{it.service.address}/types/{type}/limits" for type in TYPES]
    for address in limits:
        httpx.put(address, json={"paused": True}).raise_for_status()
    for number in range(TASKS):
        for type in TYPES:
            it.submit(type, seconds=number % 5 / 100)
    for address in limits:
        httpx.delete(address).raise_for_status()


def test_limits_hold_while_handlers_are_killed_and_frozen(tmp_path: Path):
    with scenario(tmp_path, handlers=3, janitors=1, lease=LEASE_SECONDS) as it:
        submit_all(it)
        killed, frozen, cut = it.service.handlers
        end_kill = it.service.begin_fault("kill_handler", killed.pid)
        killed.end(signal.SIGKILL)
        end_freeze = it.service.begin_fault("freeze_handler", frozen.pid)
        frozen.send_signal(signal.SIGSTOP)
        end_cut = it.service.begin_fault("break_connections", cut.pid)
        cut.proxy.break_connections()
        time.sleep(LEASE_SECONDS + FAULT_SECONDS)
        frozen.send_signal(signal.SIGCONT)
        for end in (end_kill, end_freeze, end_cut):
            end()
    assert it.broken_promises == set()


def test_without_the_lock_a_limit_is_exceeded(tmp_path: Path):
    with scenario(tmp_path, handlers=3, janitors=1, handler="tests.chaos.unlocked") as it:
        submit_all(it)
    assert it.broken_promises == {"no_more_tasks_run_than_the_limit"}
