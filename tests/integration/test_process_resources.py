"""Processor time and threads that an executor and its children take."""

import time
from collections.abc import Callable

import pytest

from tests.executor_driver import Driver
from tests.process_table import linux_only


def test_a_library_takes_one_thread_unless_the_environment_says_otherwise(
    opened: Callable[..., Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    driver = opened()
    assert driver.result("environment", {"name": "OMP_NUM_THREADS"}) == "1"
    assert driver.result("environment", {"name": "MKL_NUM_THREADS"}) == "3"


@linux_only
def test_an_idle_executor_takes_no_processor_time(driver: Driver) -> None:
    before = time.thread_time()
    driver.executor.events(0.3)
    assert time.thread_time() - before < 0.02
