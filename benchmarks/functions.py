"""The functions that benchmarks run."""

import time

from flask_tasks import task


@task
def noop() -> None:
    """Nothing."""


@task
def sleep(seconds: float) -> None:
    """Takes so long, and no CPU."""
    time.sleep(seconds)


@task
def echo(text: str) -> str:
    """What it was given."""
    return text


@task
def clock() -> float:
    """When it runs."""
    return time.time()
