"""Limits of a child, and the child that the system kills when there is no memory left."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.executors.process.pool.child_limits import Limits
from application.ports.executor import Failed, Succeeded
from domain.failure import Failure
from tests.executor_driver import Driver
from tests.process_table import linux_only

MIB = 1024 * 1024


@linux_only
@pytest.mark.parametrize("how", ["itself", "a program", "a fork"])
def test_a_child_with_more_in_memory_than_allowed_is_ended(opened: Callable[..., Driver], how: str) -> None:
    driver = opened(limits=Limits(memory=100 * MIB))
    assert driver.failure("grows", {"mib": 200, "how": how}) == Failure(
        "OutOfMemory", "the process that ran it had more in memory than the 100 MiB of CHILD_MEMORY"
    )
    assert driver.result("grows", {"mib": 1, "how": how, "seconds": 0}) == 1


@linux_only
def test_a_child_with_less_in_memory_than_allowed_goes_on(opened: Callable[..., Driver]) -> None:
    driver = opened(limits=Limits(memory=400 * MIB))
    child = driver.result("pid")
    assert driver.result("grows", {"mib": 100, "how": "itself", "seconds": 0.3}) == 100
    assert driver.result("pid") == child


@linux_only
def test_memory_that_processes_share_is_counted_once(opened: Callable[..., Driver]) -> None:
    driver = opened(limits=Limits(memory=300 * MIB))
    assert driver.result("grows", {"mib": 150, "how": "and shares it", "seconds": 0.5}) == 150


@linux_only
def test_a_child_near_the_memory_limit_runs_nothing_more(opened: Callable[..., Driver]) -> None:
    driver = opened(limits=Limits(memory=150 * MIB))
    child = driver.result("pid")
    driver.result("grows", {"mib": 110, "how": "itself", "seconds": 0.5})
    assert driver.result("pid") != child


def test_a_child_is_replaced_after_so_many_runs(opened: Callable[..., Driver]) -> None:
    driver = opened(limits=Limits(runs=3))
    children = [driver.result("pid") for _ in range(9)]
    assert [len({*children[start : start + 3]}) for start in (0, 3, 6)] == [1, 1, 1]
    assert len({*children}) == 3


@pytest.mark.usefixtures("unhurried")
def test_a_replaced_child_costs_the_runs_behind_nothing(opened: Callable[..., Driver]) -> None:
    driver = opened(limits=Limits(runs=7))
    driver.run("echo")
    outcomes = driver.outcomes([driver.start("echo", {"n": n}) for n in range(100)])
    assert {type(each) for each in outcomes} == {Succeeded}


@linux_only
def test_the_system_ends_a_child_before_anything_else(opened: Callable[..., Driver]) -> None:
    assert opened().result("reads", {"path": "/proc/self/oom_score_adj"}).strip() == "1000"


def test_a_child_that_the_system_kills_for_memory_is_reported_as_out_of_memory(
    opened: Callable[..., Driver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = tmp_path / "memory.events"
    events.write_text("low 0\noom 1\noom_kill 1\n")
    monkeypatch.setattr("adapters.executors.process.pool.oom_kills.COUNTERS", (str(tmp_path / "none"), str(events)))
    driver = opened()
    assert driver.failure("crashes", {"how": "signal"}).type == "Crashed"
    driver.all_free()
    child = driver.result("pid")
    hold = driver.start("waits", {"path": str(tmp_path / "never")})
    driver.started(hold)
    events.write_text("low 0\noom 2\noom_kill 2\n")
    os.kill(child, signal.SIGKILL)
    outcome = driver.outcome(hold)
    assert isinstance(outcome, Failed)
    assert outcome.failure == Failure(
        "OutOfMemory", "the process that ran it was killed by SIGKILL, as there was no memory left"
    )
