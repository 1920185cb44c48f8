"""Functions that print in many ways. Run by executors in tests."""

import ctypes
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from flask_tasks import Progress, task

libc = ctypes.CDLL(None)
print("imported")  # noqa: T201
os.write(1, b"imported, too\n")


@task
def says(what: str, end: str = "\n"):
    """Prints."""
    print(what, end=end)  # noqa: T201


@task
def says_nothing():
    """Does not print."""
    return os.getpid()


@task
def complains(what: str):
    """Prints to both streams, logs and fails."""
    print(f"out {what}")  # noqa: T201
    print(f"error {what}", file=sys.stderr)  # noqa: T201
    logging.getLogger(__name__).warning("log %s", what)
    print(f"out again {what}")  # noqa: T201
    raise ValueError(what)


@task
def writes(data: list[int]):
    """Writes bytes to the descriptor."""
    os.write(1, bytes(data))


@task
def speaks_c(word: str):
    """Prints as C libraries do, and leaves some of it in their buffer."""
    libc.puts(f"{word} line".encode())
    libc.printf(f"{word} rest".encode())


@task
def starts(script: str):
    """Has a shell print."""
    subprocess.run(script, shell=True, check=True)


@task
def floods(size: int, path: str = ""):
    """Prints so many bytes, and goes on until a file is there."""
    for _ in range(size // 1000):
        print("x" * 999)  # noqa: T201
    print("the end")  # noqa: T201
    while path and not Path(path).exists():
        time.sleep(0.002)
    return os.getpid()


@task
def floods_by_a_program(size: int, path: str):
    """Has a program print so many bytes, and goes on until a file is there."""
    subprocess.run(f"head -c {size} /dev/zero | tr '\\0' x; echo the end", shell=True, check=True)
    while not Path(path).exists():
        time.sleep(0.002)
    return os.getpid()


@task
def says_and_goes_on(what: str, progress: Progress | None = None):
    """Prints, and never ends."""
    os.write(1, f"{what}\n".encode())
    time.sleep(600)


@task
def says_and_heeds(progress: Progress):
    """Prints, and prints again when it is cancelled."""
    print("begun")  # noqa: T201
    progress(0.5)
    while not progress.cancelled:
        time.sleep(0.002)
    print("stopped")  # noqa: T201


@task
def says_and_dies(what: str):
    """Prints, and ends its process."""
    print(what)  # noqa: T201
    os._exit(3)


@task
def returns_nan():
    """Returns a value without a JSON form."""
    return [float("nan")]


@task
def redirects(path: str):
    """Prints elsewhere."""
    os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), 1)
    print("elsewhere")  # noqa: T201


@task
def replaces_its_streams(path: str):
    """Replaces its streams, and leaves an incomplete line in its own."""
    print("half", end="")  # noqa: T201
    sys.stdout = sys.stderr = open(path, "w")  # noqa: SIM115
    print("elsewhere")  # noqa: T201


@task
def closes_its_streams():
    """Prints, and closes them."""
    print("before")  # noqa: T201
    for stream in (sys.stdout, sys.stderr):
        stream.close()


@task
def grows(size: int):
    """Extends the file of its output to that size."""
    os.ftruncate(1, size)


@task
def speaks_in_threads(times: int):
    """Prints from several threads at once."""

    def speak() -> None:
        for n in range(times):
            print(f"line {n}", file=sys.stderr if n % 2 else sys.stdout)

    threads = [threading.Thread(target=speak) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@task
def writes_in_steps(parts: list[list[int]], folder: str):
    """Writes bytes to the descriptor, and waits for a file after each part."""
    for nth, part in enumerate(parts):
        os.write(1, bytes(part))
        while not Path(folder, str(nth)).exists():
            time.sleep(0.002)


@task
def starts_and_waits(script: str, path: str):
    """Has a shell print, and waits for a file."""
    subprocess.run(script, shell=True, check=True)
    while not Path(path).exists():
        time.sleep(0.002)
