"""Functions that behave as users' functions do, and record every run."""

import os
import time

from flask_tasks import Progress, Retry, task
from tests.chaos.runs import record_run


@task
def nothing(progress: Progress):
    """Returns at once."""
    with record_run(progress) as token:
        return {"token": token}


@task
def sleeps(progress: Progress, seconds: float):
    """Sleeps."""
    with record_run(progress) as token:
        time.sleep(seconds)
        return {"token": token}


@task
def computes(progress: Progress, seconds: float):
    """Uses the processor."""
    with record_run(progress) as token:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            progress(0.5, "computing")
        return {"token": token}


@task(max_losses=0)
def once(progress: Progress, seconds: float):
    """May not start twice."""
    with record_run(progress) as token:
        time.sleep(seconds)
        return {"token": token}


@task(max_losses=0)
def once_at_once(progress: Progress):
    """May not start twice, and is so short that handlers prefetch several."""
    with record_run(progress) as token:
        return {"token": token}


@task(max_attempts=2)
def raises(progress: Progress):
    """Fails."""
    with record_run(progress) as token:
        raise ValueError(token)


@task(max_attempts=4)
def asks_again(progress: Progress, delay: float):
    """Succeeds at its third attempt."""
    with record_run(progress) as token:
        if progress.attempt < 3:
            raise Retry(token, delay=delay)
        return {"token": token}


@task(max_attempts=2)
def crashes(progress: Progress):
    """Ends its process."""
    with record_run(progress):
        os._exit(3)


@task(timeout=0.5)
def overruns(progress: Progress):
    """Exceeds its timeout."""
    with record_run(progress):
        time.sleep(30)


@task
def prints(progress: Progress, lines: int):
    """Prints many lines."""
    with record_run(progress) as token:
        for line in range(lines):
            print(token, line)  # noqa: T201
        return {"token": token}


@task
def bulky(progress: Progress):
    """Returns 100 kB."""
    with record_run(progress) as token:
        return {"token": token, "padding": "x" * 100_000}
