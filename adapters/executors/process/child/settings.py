"""The settings of the interpreter that are put back after a run, as two tables."""

import faulthandler
import gc
import locale
import signal
import socket
import sys
import threading
import tracemalloc
import warnings

# The functions of these modules convert values to enums, or parse them, which costs more than all the rest.
from _locale import setlocale
from _signal import getsignal  # type: ignore[import-not-found]
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

STANDARD_ERROR = 2
SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGALRM,
    signal.SIGCHLD,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGPIPE,
)
"""The signals whose handlers the next run may meet at once."""
RARE_SIGNALS = sorted(signal.valid_signals() - {*SIGNALS, signal.SIGKILL, signal.SIGSTOP})
LOCALE_CATEGORIES = (
    locale.LC_CTYPE,
    locale.LC_COLLATE,
    locale.LC_TIME,
    locale.LC_MONETARY,
    locale.LC_NUMERIC,
    locale.LC_MESSAGES,
)
MONITORING: Any = getattr(sys, "monitoring", None)
"""The tools that monitor all code, from Python 3.12 on; a profiler is one."""
MONITORING_TOOLS = range(6) if MONITORING else ()
DEFAULT_LEVEL = 30


class Setting(NamedTuple):
    """A setting of the interpreter: how it is read, and how a value that was read is put back."""

    read: Callable[[], Any]
    put_back: Callable[[Any], object]


def enable_stack_dumps() -> None:
    """From now on a crash in C leaves the stacks of Python in the log of its run."""
    faulthandler.enable(STANDARD_ERROR)


def _attributes(owner: object, *names: str) -> Setting:
    """Two attributes of an object, or more."""

    def put_back(values: tuple[Any, ...]) -> None:
        for name, value in zip(names, values, strict=True):
            setattr(owner, name, value)

    return Setting(partial(attrgetter(*names), owner), put_back)


def _list(read: Callable[[], list[Any]]) -> Setting:
    """The items of a list."""
    return Setting(lambda: tuple(read()), lambda values: read().__setitem__(slice(None), values))


def _additive(read: Callable[[], list[Any]]) -> Setting:
    """The items of a list that must not go missing. Those that were added stay, since a module may need them."""

    def put_back(before: Sequence[Any]) -> None:
        items = read()
        items[:0] = [each for each in before if each not in items]

    return Setting(lambda: tuple(read()), put_back)


def _event_loops() -> Any:
    """The policy of event loops with the loop that it has for this thread; None before the first use."""
    events = sys.modules.get("asyncio.events")
    policy = getattr(events, "_event_loop_policy", None)
    return policy and (policy, dict(vars(policy._local)))


def _put_back_event_loops(before: Any) -> None:
    policy, loops = before or (None, {})
    sys.modules["asyncio.events"]._event_loop_policy = policy  # type: ignore[attr-defined]
    if policy:
        vars(policy._local).clear()
        vars(policy._local).update(loops)


def _logging() -> tuple[Any, ...]:
    """The level up to which all loggers are silent, and the level and the handlers of the root logger."""
    logging = sys.modules.get("logging")
    root = logging and logging.root
    return (root.manager.disable, root.level, *root.handlers) if root else (0, DEFAULT_LEVEL)


def _put_back_logging(before: Sequence[Any]) -> None:
    logging = sys.modules["logging"]
    silent_level, level, *handlers = before
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logging.disable(silent_level)


def _locale() -> Sequence[str]:
    return [setlocale(category, None) for category in LOCALE_CATEGORIES]


def _put_back_locale(before: Sequence[str]) -> None:
    for category, name in zip(LOCALE_CATEGORIES, before, strict=True):
        setlocale(category, name)


def _start_method() -> Any:
    """The context of `multiprocessing` that was chosen; None before the first use."""
    context = sys.modules.get("multiprocessing.context")
    return context and context._default_context._actual_context


def _put_back_start_method(before: Any) -> None:
    sys.modules["multiprocessing.context"]._default_context._actual_context = before


def _put_back_traceback_limit(before: int | None) -> None:
    if before is None:
        del sys.tracebacklimit
    else:
        sys.tracebacklimit = before


def _handlers() -> Sequence[Any]:
    """The handlers of rare signals; None where it is not one of Python."""
    return [getsignal(number) for number in RARE_SIGNALS]


def _put_back_handlers(before: Sequence[Any]) -> None:
    for number, handler in zip(RARE_SIGNALS, before, strict=True):
        if handler is not None and getsignal(number) is not handler:
            signal.signal(number, handler)
    faulthandler.disable()  # its handlers are those that are not of Python
    enable_stack_dumps()


def _monitoring() -> Sequence[Any]:
    return [MONITORING.get_tool(tool) for tool in MONITORING_TOOLS]


def _put_back_monitoring(before: Sequence[Any]) -> None:
    for tool, name in zip(MONITORING_TOOLS, before, strict=True):
        if name is None and MONITORING.get_tool(tool) is not None:
            MONITORING.set_events(tool, 0)
            MONITORING.free_tool_id(tool)


SETTINGS = (
    Setting(sys.getrecursionlimit, sys.setrecursionlimit),
    Setting(sys.getswitchinterval, sys.setswitchinterval),
    Setting(sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    _attributes(sys, "excepthook", "unraisablehook"),
    _list(lambda: sys.argv),
    Setting(lambda: threading.excepthook, partial(setattr, threading, "excepthook")),
    Setting(threading.stack_size, threading.stack_size),
    Setting(gc.isenabled, lambda was_enabled: gc.enable() if was_enabled else gc.disable()),
    Setting(gc.get_threshold, lambda thresholds: gc.set_threshold(*thresholds)),
    Setting(gc.get_debug, gc.set_debug),
    _list(lambda: gc.callbacks),
    Setting(socket.getdefaulttimeout, socket.setdefaulttimeout),
    Setting(_event_loops, _put_back_event_loops),
    Setting(_logging, _put_back_logging),
    Setting(_start_method, _put_back_start_method),
)
"""Those that the next run would meet at once. Reading all of them takes little more than a microsecond."""
RARE_SETTINGS = (
    _attributes(sys, "displayhook", "breakpointhook", "dont_write_bytecode", "executable", "pycache_prefix"),
    Setting(_locale, _put_back_locale),
    Setting(lambda: vars(sys).get("tracebacklimit"), _put_back_traceback_limit),
    _attributes(warnings, "showwarning", "formatwarning"),
    Setting(sys.getdlopenflags, sys.setdlopenflags),
    Setting(sys.get_coroutine_origin_tracking_depth, sys.set_coroutine_origin_tracking_depth),
    Setting(sys.get_asyncgen_hooks, lambda hooks: sys.set_asyncgen_hooks(*hooks)),
    _additive(lambda: sys.meta_path),
    _additive(lambda: sys.path_hooks),
    Setting(tracemalloc.is_tracing, lambda was_tracing: tracemalloc.start() if was_tracing else tracemalloc.stop()),
    Setting(_handlers, _put_back_handlers),
    Setting(_monitoring, _put_back_monitoring),
)
"""Those that functions rarely change, and that do no harm within some milliseconds."""
