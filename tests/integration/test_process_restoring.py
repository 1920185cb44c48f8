"""The state of a child: a change by one task does not reach the next."""

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.traceparent import Traceparent
from tests.executor_driver import Driver
from tests.process_table import linux_only


def test_an_alarm_that_was_set_does_not_go_off_in_the_next_run(opened: Callable[..., Driver]) -> None:
    driver = opened()
    driver.run("sets_an_alarm", {"seconds": 0.1})
    assert driver.result("sleeps", {"seconds": 0.3}) == "slept"


def test_the_environment_and_the_handlers_of_signals_are_as_they_were_for_the_next_run(
    opened: Callable[..., Driver],
) -> None:
    driver = opened()
    before = driver.result("surroundings")
    changed = driver.result("changes_its_surroundings")
    assert (changed["environment"], changed["handlers"]) != (before["environment"], before["handlers"])
    assert driver.result("surroundings") == before, "in the same process"


def test_the_place_in_a_trace_is_in_the_environment_of_its_run_alone(
    opened: Callable[..., Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEPARENT", "of the handler")
    trace = Traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    driver = opened()
    assert [driver.result("shows_trace", trace=each)[1] for each in (None, trace, None)] == [None, trace, None]


def test_a_folder_that_was_changed_is_changed_back(opened: Callable[..., Driver], tmp_path: Path) -> None:
    driver = opened()
    home = driver.result("folder")
    driver.run("moves", {"path": str(tmp_path)})
    assert driver.result("folder") == home


def test_a_process_whose_output_was_left_elsewhere_is_replaced(driver: Driver, tmp_path: Path) -> None:
    driver.run("redirects", {"path": str(tmp_path / "out")})
    driver.all_free()
    driver.outcomes([driver.start("prints", {"what": "x"}) for _ in range(10)])
    assert (tmp_path / "out").read_text() == ""


CHANGES = ["niceness", "affinity", "limits", "stack", "trace", "profile", "traces of threads", "clock", "warnings"]


@linux_only
@pytest.mark.parametrize("what", [*CHANGES, "collector", "switches", "timers"])
def test_a_state_that_a_function_changes_does_not_reach_the_next_task(opened: Callable[..., Driver], what: str) -> None:
    driver = opened("tests/forging_functions.py")
    before = driver.result("looks")
    driver.run("changes", {"what": what})
    assert driver.result("looks") == before
