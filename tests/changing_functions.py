"""Functions that change the settings of their process, and one that looks at them."""

import asyncio
import builtins
import contextvars
import cProfile
import ctypes
import decimal
import faulthandler
import gc
import importlib.machinery
import io
import locale
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
import tracemalloc
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from flask_tasks import task

RARE_SIGNALS = signal.SIGQUIT, signal.SIGVTALRM, signal.SIGWINCH, signal.SIGSEGV, signal.SIGRTMIN
FIRST_PATH = list(sys.path)
sys.modules["this_module_stands_in"] = sys.modules[__name__]
STREAM = open(os.devnull, "w")  # noqa: SIM115
PROFILER = cProfile.Profile()
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
        "logging": [logging.root.manager.disable, logging.root.level, len(logging.root.handlers)],
        "warnings": warnings.showwarning.__module__,
        "locale": [locale.setlocale(each) for each in (locale.LC_CTYPE, locale.LC_NUMERIC, locale.LC_TIME)],
        "start method": multiprocessing.get_start_method(allow_none=True),
        "traceback limit": getattr(sys, "tracebacklimit", None),
        "display": sys.displayhook.__module__,
        "bytecode": sys.dont_write_bytecode,
        "tracemalloc": tracemalloc.is_tracing(),
        "asyncgen": repr(sys.get_asyncgen_hooks()),
        "origins": sys.get_coroutine_origin_tracking_depth(),
        "frozen": gc.get_freeze_count() > 0,
        "rare signals": [repr(signal.getsignal(each)) for each in RARE_SIGNALS],
        "modules": sys.modules.get("this_module_stands_in") is sys.modules[__name__],
        "import hooks": [importlib.machinery.PathFinder in sys.meta_path, len(sys.path_hooks)],
        "path": [each for each in FIRST_PATH if each not in sys.path],
        "loading": sys.getdlopenflags(),
        "numpy": np.geterr()["divide"],
        "policy of loops": type(asyncio.get_event_loop_policy()).__name__,
        "streams": [type(each).__name__ for each in (sys.stdin, sys.stdout, sys.stderr)],
        "limits": [sys.getrecursionlimit(), sys.getswitchinterval()],
        "timers": [signal.getitimer(each)[0] for each in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL)],
        "profiler": [sys.getprofile() is None, *map(monitoring_tool, range(6))],
        "clock": time.time.__module__,
        "names": len.__module__,
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


def monitoring_tool(number: int) -> Any:
    """The name of a tool that monitors all code, from Python 3.12 on."""
    monitoring: Any = getattr(sys, "monitoring", None)
    return monitoring and monitoring.get_tool(number)


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
    sys.unraisablehook = lambda *_: None
    threading.excepthook = lambda *_: None


def configure_logging() -> None:
    logging.basicConfig(level=logging.DEBUG, stream=io.StringIO())
    logging.root.addHandler(logging.StreamHandler(io.StringIO()))


def handle_rare_signals() -> None:
    for number in RARE_SIGNALS:
        signal.signal(number, lambda *_: None)


def replace_streams() -> None:
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), io.StringIO(), io.StringIO()


def remove_import_hooks() -> None:
    sys.meta_path.remove(importlib.machinery.PathFinder)
    sys.path_hooks.clear()


def set_timers() -> None:
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 600)
    signal.setitimer(signal.ITIMER_VIRTUAL, 600)


def set_limits() -> None:
    sys.setrecursionlimit(5000)
    sys.setswitchinterval(1)


class Policy(asyncio.DefaultEventLoopPolicy):
    """An event loop policy of the function's own, as that of a faster loop."""


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
    "configuration of logging": configure_logging,
    "captured warnings": lambda: logging.captureWarnings(True),
    "shown warnings": lambda: setattr(warnings, "showwarning", lambda *_: None),
    "locale of letters": lambda: locale.setlocale(locale.LC_CTYPE, "C"),
    "locale of numbers": lambda: locale.setlocale(locale.LC_NUMERIC, "C.UTF-8"),
    "locale of times": lambda: locale.setlocale(locale.LC_TIME, "C.UTF-8"),
    "start method": lambda: multiprocessing.set_start_method("spawn"),
    "traceback limit": lambda: setattr(sys, "tracebacklimit", 0),
    "display": lambda: setattr(sys, "displayhook", lambda _: None),
    "bytecode": lambda: setattr(sys, "dont_write_bytecode", not sys.dont_write_bytecode),
    "tracemalloc": tracemalloc.start,
    "asyncgen": lambda: sys.set_asyncgen_hooks(print, print),
    "origins": lambda: sys.set_coroutine_origin_tracking_depth(3),
    "frozen": gc.freeze,
    "rare signals": handle_rare_signals,
    "modules": lambda: sys.modules.update(this_module_stands_in=types.ModuleType("mock")),
    "removed module": lambda: sys.modules.pop("this_module_stands_in"),
    "import hooks": remove_import_hooks,
    "path": sys.path.clear,
    "loading": lambda: sys.setdlopenflags(sys.getdlopenflags() ^ os.RTLD_GLOBAL),
    "numpy": lambda: np.seterr(all="raise"),
    "policy of loops": lambda: asyncio.set_event_loop_policy(Policy()),
    "streams": replace_streams,
    "limits": set_limits,
    "timers": set_timers,
    "clock": lambda: setattr(time, "time", lambda: 0.0),
    "names": lambda: setattr(builtins, "len", lambda _: 0),
    "environment": os.environ.clear,
    "stacks": lambda: faulthandler.enable(STREAM),
    "profiler": PROFILER.enable,
    "argv": lambda: sys.argv.append("changed"),
    "hooks": set_hooks,
    "digits": lambda: sys.set_int_max_str_digits(700),
    "stack size": lambda: threading.stack_size(2**20),
    "faulthandler": faulthandler.disable,
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
def sees(what: str) -> dict[str, Any]:
    """Changes a setting. The settings after that."""
    CHANGES[what]()
    return looks()


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
