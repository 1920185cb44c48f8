"""Functions as users write them, correct and faulty ones. Run by executors in tests."""

import asyncio
import ctypes
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Gt

from flask_tasks import Discard, Progress, Retry, task


def ExecuteWhenRunningTask(task_id, args):  # noqa: N802
    """The hook."""
    return {"id": task_id, "args": args}


@task
def echo(**arguments):
    """Returns its arguments."""
    return arguments


@task(name="renamed", timeout=2.5, max_attempts=4, max_losses=0, priority=7, retry_on=(OSError,), at_once=3)
def described(dt: Annotated[float, Gt(0)], kind: Literal["a", "b"] = "a"):
    """All options.

    And a second paragraph.
    """


@task(retry_on=(ValueError, KeyError), per_second=0.5, burst=2)
def picky(error):
    """Raises the named exception."""
    raise {"ValueError": ValueError, "OSError": OSError, "KeyError": KeyError}[error]("as told")


@dataclass
class Body:
    """A nested argument."""

    mass: float
    name: str = "body"


@task
def typed(when: datetime, bodies: list[Body], scale: int = 2):
    """Receives values of its annotated types."""
    assert isinstance(when, datetime)
    assert all(isinstance(each, Body) for each in bodies)
    return {"year": when.year, "masses": [each.mass * scale for each in bodies]}


@task
def adds(a: int | float, b: int | float):
    """Adds."""
    return a + b


@task
async def asynchronous(x):
    """Awaits."""
    await asyncio.sleep(0)
    return x


@task
def raises(message="boom"):
    """Raises."""
    raise ValueError(message)


class Unprintable(Exception):
    """Its message raises."""

    def __str__(self):
        raise RuntimeError("no message")


@task
def raises_unprintable():
    """Raises an exception whose message raises."""
    raise Unprintable


class Ultimate(BaseException):
    """Not an Exception."""


@task
def raises_ultimate():
    """Raises a BaseException."""
    raise Ultimate("the end")


@task
def raises_recursion():
    """Calls itself without end."""
    return raises_recursion()


@task
def exits(code: int):
    """Exits."""
    sys.exit(code)


@task
def retries(delay: float | None = None):
    """Asks for another start."""
    raise Retry("busy", delay=delay)


@task
def discards():
    """Raises Discard."""
    raise Discard("why not")


@task
def progresses(progress: Progress, steps: int = 2):
    """Reports progress."""
    for step in range(steps):
        progress((step + 1) / steps, f"step {step + 1}")
    return {"task": progress.task_id, "attempt": progress.attempt, "cancelled": progress.cancelled}


@task
def chatters(progress: Progress, times: int, path: str):
    """Reports progress many times, and then waits until a file exists."""
    for step in range(times):
        progress((step + 1) / times, f"step {step + 1}")
    while not os.path.exists(path):
        time.sleep(0.002)


@task
def speaks(progress: Progress, paths: list[str]):
    """Reports progress whenever the next file exists."""
    progress(0)
    for number, path in enumerate(paths):
        while not os.path.exists(path):
            time.sleep(0.002)
        progress((number + 1) / len(paths))


@task
def returns(what):
    """Returns a value without a JSON form."""
    return {"set": {"a": [{1}]}, "key": {"a": {(1, 2): 3}}, "nan": [float("nan")], "surrogate": ["\ud800"]}[what]


@task
def shows_trace(progress: Progress):
    return [progress.traceparent, os.environ.get("TRACEPARENT")]


@task
def progresses_oddly(progress: Progress):
    """Reports what is no share, and a text of a megabyte."""
    for value in (1.0000000000000002, float("nan"), -0.1, "much", None, 10**400):
        progress(value)  # type: ignore[arg-type]
    progress(2, "x" * 1_000_000)
    return "went on"


@task
def lifts_the_limit():
    """Returns an integer that is too long, and lifts Python's own limit for it."""
    sys.set_int_max_str_digits(0)
    return [10**5000]


@task
def large(size: int):
    """Returns a result of so many bytes."""
    return "x" * (size - 2)


@task
def waits(path: str, started: str = ""):
    """Waits until a file exists."""
    if started:
        Path(started).touch()
    while not Path(path).exists():
        time.sleep(0.002)
    return "waited"


@task
def heeds(progress: Progress, path: str):
    """Waits until it is cancelled, and cleans up."""
    progress(0.5, "waiting")
    while not progress.cancelled:
        time.sleep(0.002)
    Path(path).write_text("cleaned up")
    return "stopped"


@task
def ignores(progress: Progress):
    """Ignores that it is cancelled."""
    progress(0.5, "going on")
    time.sleep(600)


@task
def pid():
    """Returns its pid."""
    return os.getpid()


@task
def crashes(how: str):
    """Ends its process."""
    {
        "exit": lambda: os._exit(3),
        "signal": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "segfault": lambda: ctypes.string_at(0),
        "abort": os.abort,
    }[how]()


@task
def crashes_if_there(path: str):
    """Ends its process if the file exists."""
    if os.path.exists(path):
        os._exit(1)


@task
def forks():
    """Returns twice."""
    return "parent" if os.fork() else "child"


@task
def forks_in_c():
    """Returns twice, by a fork that Python does not see."""
    return "parent" if ctypes.CDLL(None).fork() else "child"


@task
def forks_and_reports(progress: Progress):
    """Forks, and both processes report progress."""
    if not os.fork():
        progress(0.9, "from the copy")
        os._exit(0)
    os.wait()
    progress(0.1, "from the original")


@task
def closes_its_streams():
    """Closes them as Python knows them."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.close()
    return "closed"


@task
def sets_an_alarm(seconds: float):
    """Sets an alarm that outlasts it."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


@task
def sleeps(seconds: float):
    """Sleeps."""
    time.sleep(seconds)
    return "slept"


@task
def closes(first: int, last: int):
    """Closes descriptors."""
    os.closerange(first, last)
    return "closed"


@task
def redirects(path: str):
    """Redirects its output."""
    os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), 1)


@task
def scribbles():
    """Writes into every pipe that it can find."""
    for descriptor in range(3, 20_000):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"garbage that is no frame at all")
        except OSError:
            continue
    time.sleep(600)


@task
def mutes_if_there(path: str):
    """Replaces every pipe that it can find by /dev/null, if the file exists."""
    if os.path.exists(path):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            with suppress(OSError):
                if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                    os.dup2(nowhere, descriptor)


@task
def spawns(seconds: float, session: bool = False, bare: bool = False):
    """Leaves a program behind."""
    program = subprocess.Popen(
        [sys.executable, "-c", f"import time; time.sleep({seconds})"],
        start_new_session=session,
        env={} if bare else None,
    )
    return program.pid


@task
def daemonizes():
    """Leaves a program behind that is neither its child nor in its group."""
    reader, writer = os.pipe()
    if not os.fork():
        os.setsid()
        if not os.fork():
            os.write(writer, str(os.getpid()).encode())
            time.sleep(600)
        os._exit(0)
    os.wait()
    return int(os.read(reader, 100))


def program_in_its_own_session(path: str) -> None:
    """Start a program in a session of its own, and write its pid to the file."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    Path(path).write_text(str(program.pid))


@task
def spawns_and_crashes(path: str):
    """Leaves a program behind, and ends its process."""
    program_in_its_own_session(path)
    os._exit(1)


@task
def spawns_and_waits(path: str):
    """Has a program running beside it."""
    program_in_its_own_session(path)
    time.sleep(600)


@task
def spawns_and_ends():
    """Leaves a zombie behind."""
    program = subprocess.Popen(["true"])
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)


@task
def threads(daemon: bool):
    """Leaves a thread behind."""
    threading.Thread(target=time.sleep, args=(600,), daemon=daemon).start()
    return os.getpid()


@task
def moves(path: str):
    """Changes its folder."""
    os.chdir(path)


@task
def folder():
    """Returns its folder."""
    return os.getcwd()


@task
def inherits():
    """Returns the descriptors of a program that it starts, with the one that lists them."""
    return subprocess.check_output(["ls", "/proc/self/fd"], text=True, close_fds=False).split()


@task
def environment(name: str):
    """Returns an environment variable."""
    return os.environ.get(name)


@task
def prints(what: str):
    """Prints."""
    print(what)  # noqa: T201


@task
def ignores_signals():
    """Ignores every signal that can be ignored."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    time.sleep(600)


@task
def takes_anything(value: Any):
    """Returns any JSON."""
    return value


@task
def grows(mib: int, how: str, seconds: float = 600):
    """Uses so much memory for so long, itself or in a process that it starts."""
    grow = f"held = bytearray(b'x') * ({mib} * 1024 * 1024)"
    if how == "a program":
        subprocess.run([sys.executable, "-c", f"{grow}; import time; time.sleep({seconds})"], check=True)
    elif how == "a fork" and os.fork():
        os.wait()
    else:
        held = bytearray(b"x") * (mib * 1024 * 1024)
        if how == "and shares it" and not os.fork():
            time.sleep(600)
        time.sleep(seconds)
        if how == "a fork":
            os._exit(0)
        del held
    return mib


@task
def reads(path: str):
    """Returns the content of a file."""
    return Path(path).read_text()


@task
def surroundings():
    """Returns the state of its process."""
    handlers = [str(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD)]
    return {"environment": dict(os.environ), "handlers": handlers, "pid": os.getpid()}


@task
def changes_its_surroundings():
    """Sets a variable, removes another, and handles signals."""
    os.environ["LEFT"] = "behind"
    del os.environ["PATH"]
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return surroundings()


@task
def daemonizes_and_crashes(path: str):
    """Leaves a daemon without an environment behind, and ends its process."""
    if not os.fork():
        os.setsid()
        if not os.fork():
            code = "import os, sys, time; open(sys.argv[1], 'w').write(f'{os.getpid()} '); time.sleep(600)"
            os.execve(sys.executable, [sys.executable, "-c", code, path], {})
        os._exit(0)
    os.wait()
    while not (os.path.exists(path) and Path(path).read_text()):
        time.sleep(0.002)
    os._exit(1)
