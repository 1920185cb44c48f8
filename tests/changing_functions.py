"""Functions that change the settings of their process, and one that looks at them."""

import asyncio
import contextvars
import ctypes
import decimal
import faulthandler
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from flask_tasks import task

VARIABLE = contextvars.ContextVar("VARIABLE", default="as it was")
LIBRARY = ctypes.CDLL(None)
PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_SET_SUBREAPER, PR_GET_SUBREAPER = 1, 2, 36, 37
decimal.getcontext().prec = 20


def prctl(*arguments: int) -> int:
    return int(LIBRARY.prctl(*arguments, *[0] * (5 - len(arguments))))


def read_int(option: int) -> int:
    """The value of an option of prctl that is written to memory."""
    value = ctypes.c_int()
    LIBRARY.prctl(option, ctypes.byref(value), 0, 0, 0)
    return value.value


def current_loop() -> str:
    """Whether plain code finds a loop, as in a process of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            asyncio.get_event_loop().close()
        except RuntimeError as error:
            return str(error)
    return "there is one"


@task
def looks() -> dict[str, Any]:
    """Returns the settings of its process."""
    umask = os.umask(0)
    os.umask(umask)
    return {
        "policy": os.sched_getscheduler(0),
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        "parent death signal": read_int(PR_GET_PDEATHSIG),
        "subreaper": read_int(PR_GET_SUBREAPER),
        "context variable": VARIABLE.get(),
        "decimal": decimal.getcontext().prec,
        "socket": socket.getdefaulttimeout(),
        "gc": [gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks)],
        "filters": len(warnings.filters),
        "logging": logging.root.manager.disable,
        "argv": sys.argv,
        "hooks": [each.__module__ for each in (sys.excepthook, sys.unraisablehook, threading.excepthook)],
        "digits": sys.get_int_max_str_digits(),
        "stack size": threading.stack_size(),
        "faulthandler": faulthandler.is_enabled(),
        "file size": resource.getrlimit(resource.RLIMIT_FSIZE)[0],
        "mark": resource.getrlimit(resource.RLIMIT_RTTIME)[0],
        "umask": umask,
        "folder": os.getcwd(),
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "broken pipe": repr(signal.getsignal(signal.SIGPIPE)),
        "wake-up": signal.set_wakeup_fd(-1),
        "zone": [time.localtime(0).tm_zone, time.timezone, os.environ.get("TZ")],
        "loop": current_loop(),
    }


def set_zone() -> None:
    os.environ["TZ"] = "Asia/Kolkata"
    time.tzset()


def set_zone_and_forget_the_variable() -> None:
    set_zone()
    del os.environ["TZ"]


def change_collection() -> None:
    gc.disable()
    gc.set_threshold(1)
    gc.callbacks.append(lambda *_: None)


def set_hooks() -> None:
    sys.excepthook = lambda *_: None
    threading.excepthook = lambda *_: None


def leave_a_loop() -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())


CHANGES: dict[str, Callable[[], object]] = {
    "policy": lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)),
    "niceness": lambda: os.nice(1),
    "parent death signal": lambda: prctl(PR_SET_PDEATHSIG, 0),
    "subreaper": lambda: prctl(PR_SET_SUBREAPER, 0),
    "context variable": lambda: VARIABLE.set("changed"),
    "decimal": lambda: setattr(decimal.getcontext(), "prec", 3),
    "socket": lambda: socket.setdefaulttimeout(0.001),
    "gc": change_collection,
    "filters": lambda: warnings.simplefilter("error"),
    "logging": lambda: logging.disable(),
    "argv": lambda: sys.argv.append("changed"),
    "hooks": set_hooks,
    "digits": lambda: sys.set_int_max_str_digits(700),
    "stack size": lambda: threading.stack_size(2**20),
    "faulthandler": faulthandler.enable,
    "death by faulthandler": lambda: faulthandler.dump_traceback_later(0.2, exit=True),
    "file size": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, resource.RLIM_INFINITY)),
    "mark": lambda: resource.setrlimit(resource.RLIMIT_RTTIME, (2**59, resource.RLIM_INFINITY)),
    "umask": lambda: os.umask(0o077),
    "folder": lambda: os.chdir("/"),
    "blocked": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1}),
    "broken pipe": lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL),
    "wake-up": lambda: signal.set_wakeup_fd(os.pipe2(os.O_NONBLOCK)[1]),
    "zone": set_zone,
    "zone without its variable": set_zone_and_forget_the_variable,
    "loop": leave_a_loop,
}


@task
def changes(what: str) -> int:
    """Changes a setting. The pid."""
    CHANGES[what]()
    return os.getpid()


@task
async def awaits() -> None:
    """Runs in a loop, after which `asyncio` leaves none behind."""
    VARIABLE.set("changed in a loop")
    decimal.getcontext().prec = 4


@task
def fails_with_few_digits() -> None:
    """Raises, with a lower limit of digits."""
    sys.set_int_max_str_digits(700)
    raise ValueError


@task
def rests(seconds: float) -> int:
    """Sleeps. The pid."""
    time.sleep(seconds)
    return os.getpid()
