"""Settings that a function changes: the next function finds them as they were, mostly in the same process."""

import sys
from collections.abc import Callable, Iterator
from time import sleep
from typing import Any

import pytest

from adapters.executors.process.child.main import RARE_SECONDS
from application.ports.executor import Succeeded
from tests.changing_functions import CHANGES
from tests.executor_driver import Driver, processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at what Linux alone has")

REPLACED = {"policy", "niceness", "file size", "removed module"}
"""Changes that cost the process, since they cannot be taken back, or not by every user."""

UNSEEN = {"loop"}
"""Settings that a function cannot see changed, since to look is to change them."""


@pytest.fixture(scope="module")
def shared() -> Iterator[Driver]:
    with processes("tests/changing_functions.py") as open:
        yield open()


@pytest.fixture
def driver(shared: Driver) -> Driver:
    shared.all_free()
    return shared


Look = Callable[[], dict[str, Any]]


@pytest.fixture
def look(driver: Driver) -> Look:
    """The settings that a function finds."""
    return lambda: driver.result("looks")


@pytest.mark.parametrize("what", CHANGES)
def test_a_setting_that_a_function_has_changed_is_as_before_for_the_next_one(driver: Driver, look: Look, what: str):
    before = look()
    changed = driver.result("changes", {"what": what})
    sleep(2 * RARE_SECONDS)
    after = look()
    is_replaced = driver.result("rests", {"seconds": 0.3}) != changed
    assert is_replaced is (what in REPLACED)
    assert after == before | ({"mark": after["mark"]} if is_replaced else {})


def test_a_coroutine_leaves_the_loop_and_the_context_as_they_were(driver: Driver, look: Look):
    before = look()
    assert before["loop"] == "there is one"
    driver.run("awaits")
    assert look() == before


def test_a_function_that_raises_leaves_the_limit_of_digits_as_it_was(driver: Driver):
    driver.failure("fails_with_few_digits")
    assert len(str(driver.result("looks")["digits"])) == len("4300")


def test_a_short_run_among_others_costs_the_process_that_it_has_left_a_thread_in():
    with processes("tests/user_functions.py") as open:
        driver = open()
        for _ in range(3):
            driver.run("threads", {"daemon": True})  # known to be short from now on
        before = [driver.result("pid") for _ in range(20)]
        behind = [driver.start(type, args) for type, args in [("pid", {}), ("threads", {"daemon": True})] * 20]
        assert all(isinstance(each, Succeeded) for each in driver.outcomes(behind))
        assert driver.result("pid") != before[-1]


def test_each_setting_that_is_looked_at_is_changed_by_a_function(driver: Driver):
    """A change that the look did not see would prove nothing."""
    before = driver.result("looks")
    changed: set[str] = set()
    for what in CHANGES:
        seen = driver.result("sees", {"what": what})
        changed |= {name for name in before if seen[name] != before[name]}
    assert changed >= before.keys() - UNSEEN
