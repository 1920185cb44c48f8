"""Runs that stand behind another one in the queue of a child."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from application.ports.executor import Failed, Run, Span, Succeeded
from domain.ids import Claim, HandlerId, Hold, TaskId, TypeName
from tests.executor_driver import USER_FUNCTIONS, Driver
from tests.process_table import linux_only


@pytest.mark.usefixtures("unhurried")
def test_runs_behind_one_that_turns_out_long_go_to_another_child(opened: Callable[..., Driver], tmp_path: Path) -> None:
    done = tmp_path / "done"
    done.touch()
    driver = opened(concurrency=2)
    driver.run("pid")
    driver.run("waits", {"path": str(done)})
    done.unlink()
    holds = [driver.start("waits", {"path": str(done)}), *(driver.start("pid") for _ in range(40))]
    outcomes = driver.outcomes(holds[1:])
    assert {type(each) for each in outcomes} == {Succeeded}
    assert not driver.of(holds[0], Succeeded, Failed), "the long one still goes on"
    done.touch()
    assert driver.outcome(holds[0]) == Succeeded(holds[0], '"waited"')


@pytest.mark.usefixtures("paired")
def test_a_run_behind_another_one_is_begun_by_an_idle_child(opened: Callable[..., Driver], tmp_path: Path) -> None:
    long, short = (tmp_path / name for name in ("long", "short"))
    long.touch()
    driver = opened(concurrency=2)
    driver.run("waits", {"path": str(long)})
    long.unlink()
    first, *others = (driver.start("waits", {"path": str(path)}) for path in (long, short, short, short))
    assert driver.executor.free == 0, "one stands behind each"
    short.touch()
    driver.outcomes(others)
    assert not driver.of(first, Succeeded, Failed), "it still goes on, and no run waits for it"
    long.touch()
    driver.outcome(first)


def test_one_short_run_may_stand_behind_another_and_none_behind_a_long_one(
    opened: Callable[..., Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine, a short sleep may take a tenth of a second.
    monkeypatch.setattr("adapters.executors.process.pool.run_queue.SHORT_RUN_SECONDS", 0.2)
    driver = opened(concurrency=1)
    driver.run("sleeps", {"seconds": 0.01})
    driver.start("sleeps", {"seconds": 0.4})
    assert driver.executor.free == 1
    for _ in range(4):
        driver.run("sleeps", {"seconds": 0.4})
    driver.start("sleeps", {"seconds": 0.01})
    assert driver.executor.free == 0


@pytest.mark.usefixtures("unhurried")
def test_runs_behind_a_long_one_can_be_recalled(opened: Callable[..., Driver], tmp_path: Path) -> None:
    done = tmp_path / "done"
    done.touch()
    driver = opened(concurrency=1)
    driver.run("waits", {"path": str(done)})
    done.unlink()
    first, *behind = (driver.start("waits", {"path": str(done)}) for _ in range(5))
    driver.started(first)
    recalled: list[Hold] = []

    def are_four_recalled() -> bool:
        recalled.extend(driver.executor.recall())
        return len(recalled) == 4

    driver.until(are_four_recalled)
    assert recalled == behind
    done.touch()
    assert driver.outcome(first) == Succeeded(first, '"waited"')
    assert driver.executor.recall() == []
    assert not any(driver.of(hold) for hold in behind)


def span_of(outcome: Succeeded | Failed) -> Span:
    assert outcome.span is not None
    return outcome.span


@pytest.mark.usefixtures("unhurried")
def test_more_runs_may_wait_than_the_socket_of_a_child_holds(opened: Callable[..., Driver], tmp_path: Path) -> None:
    done = tmp_path / "done"
    driver = opened()
    driver.run("echo")
    done.touch()
    driver.run("waits", {"path": str(done)})
    done.unlink()
    args = [("waits", {"path": str(done)}), *(("echo", {"n": n, "text": "x" * 30_000}) for n in range(50))]
    holds = [Hold(TaskId(-number), Claim(1), HandlerId("handler-1")) for number in range(1, len(args) + 1)]
    for hold, (type, sent) in zip(holds, args, strict=True):
        driver.executor.start(Run(hold, TypeName(type), 1, json.dumps(sent)))
    done.touch()
    outcomes = driver.outcomes(holds)
    assert {each.__class__ for each in outcomes} == {Succeeded}
    assert [each.hold for each in sorted(outcomes, key=span_of)] == holds


@linux_only
@pytest.mark.usefixtures("unhurried", "unwatched")
def test_runs_that_a_function_has_read_from_the_socket_are_run_all_the_same(
    opened: Callable[..., Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.executors.process.pool.start_watch.LOST_RUN_SECONDS", 0.5)
    driver = opened(USER_FUNCTIONS, "tests/hostile_functions.py")
    driver.run("reads_from_everything")
    driver.run("echo")
    holds = [driver.start("reads_from_everything")]
    holds += [driver.start("echo", {"n": n}) for n in range(5)]
    assert [type(each) for each in driver.outcomes(holds)] == [Succeeded] * 6
