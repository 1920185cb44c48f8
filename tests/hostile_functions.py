"""Functions that damage their process, and everything that they can reach. Run by a real handler."""

import asyncio
import atexit
import builtins
import ctypes
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

from flask_tasks import task

FOREVER = 600
"""Seconds, longer than any test."""
SLEEPER = f"import time; time.sleep({FOREVER})"


def record_pid(path: str, pid: int) -> None:
    """Append the pid of a process that is left running to the file."""
    with open(path, "a") as file:
        file.write(f"{pid}\n")


@task
def looks_around():
    """Returns the state of its process."""
    print("heard")  # noqa: T201
    numbers = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
    umask = os.umask(0)
    os.umask(umask)
    return {
        "folder": os.getcwd(),
        "environment": {name: value for name, value in os.environ.items() if name != "FLASK_TASKS_CHILD"},
        "handlers": {str(number): repr(signal.getsignal(number)) for number in numbers},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "timer": signal.getitimer(signal.ITIMER_REAL),
        "descriptors": [os.readlink(f"/proc/self/fd/{number}") for number in range(3)],
        "streams": [each.closed or each.fileno() for each in (sys.stdin, sys.stdout, sys.stderr)],
        "umask": umask,
        "limits": [resource.getrlimit(each) for each in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE)],
        "recursion": sys.getrecursionlimit(),
        "path": sys.path,
        "modules": sorted({"builtins", "json", "os", "sys", "threading", __name__} & sys.modules.keys()),
        "threads": threading.active_count(),
    }


# The interpreter, and C


@task
def hogs(letters: int):
    """Runs a regular expression that takes twice as long for each further letter, without releasing the interpreter."""
    return re.match("(a+)+$", "a" * letters + "b") is not None


@task
def computes(digits: int):
    """Computes a long number in one operation, which takes a while."""
    return (10**digits // 7).bit_length() > digits


@task
def blocks(keeps_the_interpreter: bool):
    """Waits in C for a signal that does not come."""
    (ctypes.PyDLL if keeps_the_interpreter else ctypes.CDLL)(None).pause()


# Its own process


@task
def stops_itself(times: int = 1):
    """Sends SIGSTOP to its own process."""
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGSTOP)
    return "resumed"


@task
def has_its_handler_trace_it():
    """Makes the handler its tracer, so that the next signal suspends it."""
    traces_me = 0
    ctypes.CDLL(None).ptrace(traces_me, 0, 0, 0)
    os.kill(os.getpid(), signal.SIGUSR1)
    return "resumed"


@task
def signals_its_group(number: int):
    """Sends a signal to its process group, itself included."""
    os.killpg(0, number)


@task
def leaves_its_group(how: str):
    """Tries to leave its process group, which fails, since it leads one."""
    os.setsid() if how == "setsid" else os.setpgid(0, 0)


@task
def ignores_to_be_ended():
    """Ignores SIGTERM, and registers an exit function that never ends."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    atexit.register(time.sleep, FOREVER)
    return "registered"


@task
def blocks_signals():
    """Blocks all signals, and sets handlers and an alarm."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, FOREVER)
    return "blocked"


@task
def moves_everything(path: str):
    """Changes its folder, variables, umask and import path."""
    os.chdir(path)
    os.environ["LEFT_BEHIND"] = os.environ["PATH"] = "nowhere"
    os.umask(0o777)
    sys.path.clear()
    return "moved"


@task
def limits(what: str):
    """Sets a limit of its process that makes further work impossible."""
    match what:
        case "descriptors":
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        case "files":
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        case "recursion":
            sys.setrecursionlimit(60)
    return "limited"


@task
def forgets_modules(all_of_them: bool):
    """Removes its own modules and those that run it, or all."""
    ours = [__name__, *(name for name in sys.modules if name.startswith(("adapters", "domain", "flask_tasks")))]
    for name in list(sys.modules) if all_of_them else ours:
        sys.modules.pop(name, None)
    return "forgotten"


@task
def replaces_a_builtin(name: str):
    """Replaces a builtin by None."""
    setattr(builtins, name, None)
    return "replaced"


# Streams and descriptors


@task
def prints_megabytes(count: int):
    """Prints so many megabytes."""
    for _ in range(count):
        print("x" * (1_000_000 - 1))  # noqa: T201
    return count


@task
def writes_into_everything():
    """Writes into every open descriptor."""
    for descriptor in range(3, 20_000):
        try:
            os.set_blocking(descriptor, False)
            os.write(descriptor, b"garbage that is no frame at all")
        except OSError:
            continue
    time.sleep(FOREVER)


@task
def reads_from_everything():
    """Reads what other processes have sent to its sockets."""
    for descriptor in range(3, 20_000):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                with socket.socket(fileno=os.dup(descriptor)) as stolen:
                    while stolen.recv(65536, socket.MSG_DONTWAIT):
                        pass
        except OSError:
            continue
    return "read"


# Leftovers


@task
def starts(how: str, pids: str):
    """Leaves programs or copies of itself behind."""
    match how:
        case "a program" | "a program, and waits for it" | "a program, and dies":
            program = subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
            record_pid(pids, program.pid)
            if how.endswith("waits for it"):
                program.wait()
            elif how.endswith("dies"):
                os._exit(1)
        case "a program without an environment":
            record_pid(pids, subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True, env={}).pid)
        case "a copy":
            if not os.fork():
                record_pid(pids, os.getpid())
                time.sleep(FOREVER)
        case "a copy that returns too":
            if not os.fork():
                record_pid(pids, os.getpid())
        case "a daemon":
            if not os.fork():
                os.setsid()
                if os.fork():
                    os._exit(0)
                record_pid(pids, os.getpid())
                time.sleep(FOREVER)
            os.wait()
    while not (Path(pids).exists() and Path(pids).read_text()):
        time.sleep(0.002)
    return "started"


@task
def leaves_a_thread(daemon: bool):
    """Leaves a thread that prints for ever."""

    def print_for_ever():
        while True:
            print("still here")  # noqa: T201
            time.sleep(0.001)

    threading.Thread(target=print_for_ever, daemon=daemon).start()
    return "started"


@task
async def leaves_a_coroutine():
    """Leaves a coroutine, and a thread of its loop that is busy for ever."""
    loop = asyncio.get_running_loop()
    loop.run_in_executor(None, time.sleep, FOREVER)
    return str(loop.create_task(asyncio.sleep(FOREVER)).cancelled())


# Exceptions


class Unshowable:
    """An object whose repr raises."""

    def __repr__(self):
        raise RuntimeError("no form")


class Wordy(Exception):
    """An exception whose message is long, hangs, ends the process or is no text."""

    def __str__(self):
        how = self.args[0]
        if how == "long":
            return "x" * 10_000_000
        if how == "hangs":
            time.sleep(FOREVER)
        if how == "dies":
            os._exit(4)
        return 5  # not even a text


class Nameless(type):
    """A metaclass whose classes raise when asked for their name."""

    @property
    def __name__(cls):  # type: ignore[override]
        raise RuntimeError("no name")


class Anonymous(Exception, metaclass=Nameless):
    """An exception without a readable name."""


@task
def throws(what: str):
    """Raises the named exception."""
    raise {
        "group": lambda: ExceptionGroup("many", [ValueError(1), ExceptionGroup("more", [OSError(2)])]),
        "ultimate group": lambda: BaseExceptionGroup("all", [KeyboardInterrupt()]),
        "interrupt": lambda: KeyboardInterrupt("by nobody"),
        "generator": lambda: GeneratorExit("closed"),
        "iteration": lambda: StopIteration(3),
        "async iteration": lambda: StopAsyncIteration("over"),
        "memory": lambda: MemoryError("pretended"),
        "nameless": lambda: Anonymous("who?"),
        "unshowable": lambda: ValueError(Unshowable()),
    }.get(what, lambda: Wordy(what))()


@task
def raises_what_cannot_be_pickled():
    """Raises an exception of a local class, with arguments that cannot be pickled."""

    class Local(Exception):
        def __str__(self):
            return "local"

    raise Local(threading.Lock(), lambda: None)


@task
async def throws_in_a_loop(what: str):
    """Raises the named exception in an event loop."""
    raise {"interrupt": KeyboardInterrupt, "exit": SystemExit, "cancelled": asyncio.CancelledError}[what]("in the loop")


@task
def changes_its_mind():
    """Exits, and raises another exception meanwhile."""
    try:
        sys.exit(3)
    finally:
        raise ValueError("on the way out")


# Results


class Colour(Enum):
    """An enum."""

    RED = "red"


@dataclass
class Body:
    """A dataclass."""

    mass: float
    when: datetime


class Restless(dict):
    """A dict whose length raises."""

    def __len__(self):
        raise RuntimeError("not to be counted")


class Liar:
    """An object whose class raises when it is asked for."""

    @property  # type: ignore[misc]
    def __class__(self):
        raise RuntimeError("not to be asked")


def in_itself():
    """A list that contains itself."""
    it: list[object] = []
    it.append(it)
    return it


@task
def gives(what: str):
    """Returns the named value."""
    import numpy

    moment = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    return {
        "arrays": lambda: {"a": numpy.array([[1, 2], [3, 4]]), "b": numpy.float32(0.5), "c": numpy.bool_(True)},
        "a dataclass": lambda: Body(1.5, moment),
        "others": lambda: [moment, UUID(int=1), Decimal("1.10"), Colour.RED],
        "a generator": lambda: {"a": (n for n in range(3))},
        "a set": lambda: [{1}],
        "bytes": lambda: {"a": {"b": b"x"}},
        "a number that is none": lambda: [1.0, float("nan"), float("-inf")],
        "a list in itself": in_itself,
        "what cannot be shown": lambda: [0, Unshowable()],
        "what cannot be counted": lambda: Restless(a=1),
        "what cannot be asked": Liar,
        "half a character": lambda: {"a": "\ud800"},
        "itself": lambda: gives,
    }[what]()
