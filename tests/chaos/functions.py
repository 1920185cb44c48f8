"""Functions that behave as users' functions do, and record every run. `mark`: an argument that no other task has."""

import os
import signal
import time

from domain.rate import Rate
from flask_tasks import Progress, Retry, task
from tests.chaos.runs import record_kill, record_run, supervisor

MEGABYTE = 1_000_000
AT_ONCE = {"one_at_once": 1, "four_at_once": 4, "fifty_at_once": 50, "one_per_user": 3}
AT_ONCE_PER_LANE = {"one_per_user": 1}
RATES = {"five_a_second": Rate(5, 3)}
"""The limits of the types below."""


@task
def nothing(progress: Progress, mark: str | None = None):
    """Returns at once."""
    with record_run(progress, mark) as token:
        return {"token": token}


@task
def sleeps(progress: Progress, seconds: float, mark: str | None = None):
    """Sleeps."""
    with record_run(progress, mark) as token:
        time.sleep(seconds)
        return {"token": token}


@task(at_once=1)
def one_at_once(progress: Progress, seconds: float, mark: str | None = None):
    """Runs alone."""
    with record_run(progress, mark) as token:
        time.sleep(seconds)
        return {"token": token}


@task(at_once=4, max_attempts=2)
def four_at_once(progress: Progress, seconds: float, mark: str | None = None):
    """Runs beside three others at most, and fails now and then."""
    with record_run(progress, mark) as token:
        time.sleep(seconds)
        if seconds > 0.25:
            raise ValueError(token)
        return {"token": token}


@task(at_once=50)
def fifty_at_once(progress: Progress, seconds: float, mark: str | None = None):
    """Runs beside many others."""
    with record_run(progress, mark) as token:
        time.sleep(seconds)
        return {"token": token}


@task(lane="user", at_once=3, at_once_per_lane=1)
def one_per_user(progress: Progress, seconds: float, user: int, mark: str | None = None):
    """Runs beside no other task of the same user."""
    with record_run(progress, mark) as token:
        time.sleep(seconds)
        return {"token": token}


@task(per_second=5, burst=3)
def five_a_second(progress: Progress, mark: str | None = None):
    """Starts seldom."""
    with record_run(progress, mark) as token:
        return {"token": token}


@task
def waits(progress: Progress, doors: str, mark: str | None = None):
    """Waits until the door of its handler is open: a file in the folder that has the handler's pid as its name."""
    with record_run(progress, mark) as token:
        print(token)  # noqa: T201
        while not os.path.exists(f"{doors}/{supervisor()}"):
            time.sleep(0.02)
        print("the end")  # noqa: T201
        return {"token": token}


@task
def computes(progress: Progress, seconds: float, mark: str | None = None):
    """Uses the processor."""
    with record_run(progress, mark) as token:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            progress(0.5, "computing")
        return {"token": token}


@task(max_losses=0)
def once(progress: Progress, seconds: float, mark: str | None = None):
    """May not start twice."""
    with record_run(progress, mark) as token:
        time.sleep(seconds)
        return {"token": token}


@task(max_losses=0)
def once_at_once(progress: Progress, mark: str | None = None):
    """May not start twice, and is so short that handlers prefetch several."""
    with record_run(progress, mark) as token:
        return {"token": token}


@task(max_attempts=2)
def raises(progress: Progress, mark: str | None = None):
    """Fails."""
    with record_run(progress, mark) as token:
        raise ValueError(token)


@task(max_attempts=4)
def asks_again(progress: Progress, delay: float, mark: str | None = None):
    """Succeeds at its third attempt."""
    with record_run(progress, mark) as token:
        if progress.attempt < 3:
            raise Retry(token, delay=delay)
        return {"token": token}


@task(max_attempts=2)
def crashes(progress: Progress, mark: str | None = None):
    """Ends its process."""
    with record_run(progress, mark):
        os._exit(3)


@task(max_losses=1)
def kills_its_handler(progress: Progress, mark: str | None = None):
    """Kills the parent of its process. The first process of a namespace is immune."""
    with record_run(progress, mark) as token:
        if os.getppid() > 1:
            record_kill()
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(10)
        return {"token": token}


@task(timeout=0.5)
def overruns(progress: Progress, mark: str | None = None):
    """Exceeds its timeout."""
    with record_run(progress, mark):
        time.sleep(30)


@task
def prints(progress: Progress, lines: int, mark: str | None = None):
    """Prints many lines."""
    with record_run(progress, mark) as token:
        for line in range(lines):
            print(token, line)  # noqa: T201
        return {"token": token}


@task
def bulky(progress: Progress, megabytes: float, mark: str | None = None):
    """Returns megabytes."""
    with record_run(progress, mark) as token:
        return {"token": token, "padding": "x" * int(megabytes * MEGABYTE)}


@task
def reads(progress: Progress, padding: str, mark: str | None = None):
    """Takes megabytes."""
    with record_run(progress, mark) as token:
        return {"token": token, "length": len(padding)}


@task(every="* * * * *")
def ticks(progress: Progress, mark: str | None = None):
    """Recurs. The experiment moves its ticks forward, so that there are more than one a minute."""
    with record_run(progress, mark) as token:
        return {"token": token}
