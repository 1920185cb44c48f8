"""Functions that behave in the ways that users' functions do."""

import os
import time
from pathlib import Path

from flask_tasks import Discard, Progress, Retry, task


@task
def echo(**arguments):
    """Returns its arguments."""
    return arguments


@task(max_losses=3)
def slow(seconds: float, mark: str = ""):
    """Takes its time, and notes its start and its end in a file."""
    note(mark, "start")
    time.sleep(seconds)
    note(mark, "end")
    return seconds


@task
def beating(mark: str):
    """Shows for a minute that it still runs."""
    for _ in range(3000):
        note(mark, "beat")
        time.sleep(0.02)


@task
def reporting(progress: Progress, seconds: float = 5.0):
    """Says how far it is."""
    progress(0.4, "reading")
    time.sleep(seconds)
    return progress.task_id


@task
def poison():
    """Takes the process with it."""
    os._exit(3)


@task
def unkept():
    """Returns what JSON has no form for."""
    return {"a": [1, {object}]}


@task(max_attempts=3)
def flaky(mark: str):
    """Succeeds at its third attempt."""
    note(mark, "start")
    if Path(mark).read_text().count("start") < 3:
        raise Retry(delay=0)
    return "at last"


@task(max_attempts=5)
def hopeless():
    """Says that trying again is no use."""
    raise Discard("not today")


@task(retry_on=(OSError,), max_attempts=5)
def picky():
    """Fails with what it does not want to be repeated for."""
    raise ValueError("wrong kind")


@task
async def asynchronous(a: int):
    """Awaits nothing in particular."""
    return a + 1


def note(mark: str, word: str) -> None:
    if mark:
        with open(mark, "a") as file:
            file.write(f"{word}\n")
