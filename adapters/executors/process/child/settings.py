"""The settings of the interpreter that are put back after a run, as one table."""

import faulthandler
import gc
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple


class Setting(NamedTuple):
    """A setting of the interpreter: how it is read, and how a value that was read is put back."""

    read: Callable[[], Any]
    put_back: Callable[[Any], object]


def _attributes(owner: object, *names: str) -> Setting:
    """Two attributes of an object, or more."""

    def put_back(values: tuple[Any, ...]) -> None:
        for name, value in zip(names, values, strict=True):
            setattr(owner, name, value)

    return Setting(partial(attrgetter(*names), owner), put_back)


def _list(read: Callable[[], list[Any]]) -> Setting:
    """The items of a list."""
    return Setting(lambda: tuple(read()), lambda values: read().__setitem__(slice(None), values))


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


def _silent_level() -> int:
    """The level up to which all loggers are silent."""
    logging = sys.modules.get("logging")
    return logging.root.manager.disable if logging else 0


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
    Setting(
        faulthandler.is_enabled, lambda was_enabled: faulthandler.enable() if was_enabled else faulthandler.disable()
    ),
    Setting(_event_loops, _put_back_event_loops),
    Setting(_silent_level, lambda level: sys.modules["logging"].disable(level)),
)
"""Reading all of them takes little more than a microsecond."""
