"""Functions that behave as users' functions do."""

import ctypes
import os
import signal
import subprocess
import time
from itertools import count
from pathlib import Path

from flask_tasks import Client, Discard, Progress, Retry, task


@task
def echo(**arguments):
    """Returns its arguments."""
    return arguments


@task(max_losses=3)
def slow(seconds: float, mark: str = ""):
    """Sleeps, and writes its start and its end to a file."""
    note(mark, "start")
    time.sleep(seconds)
    note(mark, "end")
    return seconds


@task
def beating(mark: str):
    """Writes to a file for a minute, as long as it runs."""
    for _ in range(3000):
        note(mark, "beat")
        time.sleep(0.02)


@task
def reporting(progress: Progress, seconds: float = 5.0):
    """Reports progress."""
    progress(0.4, "reading")
    time.sleep(seconds)
    return progress.task_id


@task
def poison():
    """Ends its process."""
    os._exit(3)


@task
def kills_its_handler(seconds: float = 0.7, mark: str = ""):
    """Ends the process that supervises it, after a while."""
    note(mark, "start")
    time.sleep(seconds)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


@task
def large(mebibytes: int):
    """Returns a long text."""
    return "x" * (mebibytes * 2**20)


@task
def unkept():
    """Returns a value without a JSON form."""
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
    """Discards its task."""
    raise Discard("not today")


@task(retry_on=(OSError,), max_attempts=5)
def picky():
    """Fails with an exception that is not retriable."""
    raise ValueError("wrong kind")


@task
async def asynchronous(a: int):
    """Returns from a coroutine."""
    return a + 1


def note(mark: str, word: str) -> None:
    if mark:
        with open(mark, "a") as file:
            file.write(f"{word}\n")


@task
def delegating(type: str, args: dict):
    """Runs another task by a client."""
    with Client() as client:
        return client.run(type, args)


@task
def flood(size: int):
    """Prints so many bytes."""
    for _ in range(size // 1000):
        print("x" * 999)  # noqa: T201
    print("the end")  # noqa: T201
    return size


@task
def says_in_all_ways(word: str):
    """Prints as Python, a C library, a descriptor and a program do."""
    print(f"{word} python")  # noqa: T201
    libc = ctypes.CDLL(None)
    libc.puts(f"{word} library".encode())
    libc.fflush(None)
    os.write(1, f"{word} descriptor\n".encode())
    subprocess.run(["echo", f"{word} program"], check=True)


@task
def says_and(what: str):
    """Prints, and crashes or exceeds its timeout."""
    print(what)  # noqa: T201
    os._exit(3) if what == "crashes" else time.sleep(60)


@task(max_losses=3)
def chatters(seconds: float = 60.0):
    """Prints the time every 0.3 seconds."""
    end = time.time() + seconds
    while (now := time.time()) < end:
        print(f"at {now}")  # noqa: T201
        time.sleep(0.3)


@task
def floods_for_ever():
    """Prints without end."""
    for n in count():
        print(f"line {n}")  # noqa: T201


@task
def writes_binary():
    """Writes bytes that are no text, and goes on."""
    os.write(1, bytes(range(256)) * 4)
    time.sleep(60)
