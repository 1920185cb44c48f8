"""Functions that forge what their process reports to its supervisor."""

import ctypes
import fcntl
import gc
import os
import resource
import signal
import stat
import struct
import sys
import threading
import time
import warnings

from adapters.executors.process.ipc.frames import Kind, pack
from adapters.executors.process.ipc.shared_page import SharedPage
from flask_tasks import Retry, task

HEADER = struct.Struct("!4sBIQI")


def outbox() -> int:
    """The descriptor of the pipe to the supervisor."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        try:
            is_pipe = descriptor > 2 and stat.S_ISFIFO(os.fstat(descriptor).st_mode)
            if is_pipe and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_WRONLY:
                return descriptor
        except OSError:
            continue
    raise RuntimeError("no pipe")


def page() -> SharedPage:
    """The page that the process shares with the supervisor."""
    return next(each for each in gc.get_objects() if type(each).__name__ == SharedPage.__name__)


@task
def quick():
    """Returns its pid."""
    return os.getpid()


@task
def forges_frame(kind: int, payload: str, number: int | None = None, then: str = "waits"):
    """Writes a frame about its own run, or about another one."""
    begun = page().begun()
    assert begun is not None
    run = begun.run if number is None else number
    os.write(outbox(), pack(Kind(kind), os.getpid(), run, payload.encode("latin-1")))
    if then == "waits":
        time.sleep(600)


@task
def forges_header(kind: int, length: int):
    """Writes a header of that kind, with that length."""
    os.write(outbox(), HEADER.pack(b"\xf7tsk", kind, os.getpid(), 1, length))
    time.sleep(600)


@task
def forges_page(offset: int, bytes: str, seconds: float = 0.3):
    """Writes these bytes, given in hexadecimal digits, on the page."""
    mapped = page()._page
    content = bytearray.fromhex(bytes)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        mapped[offset : offset + len(content)] = content
    return "forged"


@task
def shortens_page():
    """Tries to shorten the file of the page, so that its supervisor reads where nothing is."""
    address = ctypes.addressof(ctypes.c_char.from_buffer(page()._page))
    for name in os.listdir("/proc/self/map_files"):
        if name.startswith(f"{address:x}-"):
            try:
                os.truncate(f"/proc/self/map_files/{name}", 0)
            except OSError as error:
                return type(error).__name__
    return "shortened"


@task
def retries_after(delay: str):
    """Asks for another start with a delay that is none, set after the exception was made."""
    retry = Retry("busy")
    retry.delay = {"text": "1", "nan": float("nan"), "negative": -1.0, "infinite": float("inf")}[delay]  # type: ignore[assignment]
    raise retry


@task
def changes(what: str):
    """Changes the state of its process."""
    {
        "niceness": lambda: os.nice(1),
        "affinity": lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
        "limits": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        "stack": lambda: resource.setrlimit(resource.RLIMIT_STACK, (2**20, 2**22)),
        "trace": lambda: sys.settrace(lambda *_: None),
        "profile": lambda: sys.setprofile(lambda *_: None),
        "traces of threads": lambda: threading.settrace(lambda *_: None),
        "clock": lambda: setattr(time, "monotonic", lambda: 0.0),
        "warnings": lambda: warnings.simplefilter("error"),
        "collector": gc.disable,
        "switches": lambda: sys.setswitchinterval(5),
        "timers": lambda: signal.setitimer(signal.ITIMER_PROF, 600),
    }[what]()


@task
def looks():
    """Returns the state of its process."""
    return [
        os.getpriority(os.PRIO_PROCESS, 0),
        sorted(os.sched_getaffinity(0)),
        [resource.getrlimit(each) for each in (resource.RLIMIT_CORE, resource.RLIMIT_STACK)],
        [each is None for each in (sys.gettrace(), sys.getprofile(), threading.gettrace())],
        repr(time.monotonic),
        repr(warnings.filters),
        [gc.isenabled(), gc.get_threshold()],
        sys.getswitchinterval(),
        signal.getitimer(signal.ITIMER_PROF),
    ]
