"""The functions that the benchmarks run as tasks."""

import time

from flask_tasks import task


@task
def noop() -> None:
    """Do nothing."""


@task
def sleep(seconds: float) -> None:
    """Sleep that long, without CPU."""
    time.sleep(seconds)


@task
def echo(text: str) -> str:
    """Return the argument."""
    return text


@task
def clock() -> float:
    """Return the time at which it runs."""
    return time.time()
