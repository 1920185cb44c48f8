"""Restore the interpreter after a run: tracing, clocks, settings, warnings, built-in names, the path of modules."""

import builtins
import faulthandler
import sys
import threading
import time
import warnings
from operator import call
from typing import Any

from adapters.executors.process.child.settings import SETTINGS

READS = [setting.read for setting in SETTINGS]


class InterpreterSnapshot:
    """The interpreter as it is when the snapshot is made. Additions of a run stay, since a module may need them."""

    def __init__(self) -> None:
        self._settings = list(map(call, READS))
        self._clocks, self._clock_values = dict(vars(time)), tuple(vars(time).values())
        self._traces = sys.gettrace(), sys.getprofile(), threading.gettrace(), threading.getprofile()
        self._filters = list(warnings.filters)
        self._path = list(sys.path)
        self._remember(vars(builtins))
        self._module_count = len(sys.modules)

    def restore(self) -> None:
        """Put all of it back, and missing entries of `sys.path`."""
        self._restore_tracing()
        if (found := list(map(call, READS))) != self._settings:
            self._restore_settings(found)
        if tuple(vars(time).values()) != self._clock_values:
            self._restore_clocks()
        if warnings.filters != self._filters:
            warnings.resetwarnings()
            warnings.filters[:] = self._filters  # type: ignore[index]
        names = vars(builtins)
        if tuple(names.values()) != self._values:
            names.update(self._builtins)
            self._remember(names)
        if sys.path != self._path and not {*self._path} <= {*sys.path}:
            sys.path[:] = self._path
        faulthandler.cancel_dump_traceback_later()

    def _restore_tracing(self) -> None:
        """Tracing comes first, since what follows would be traced. To set it costs more than to look."""
        trace, profile, threads_trace, threads_profile = self._traces
        if sys.gettrace() is not trace:
            sys.settrace(trace)
        if sys.getprofile() is not profile:
            sys.setprofile(profile)
        if threading.gettrace() is not threads_trace:
            threading.settrace(threads_trace)
        if threading.getprofile() is not threads_profile:
            threading.setprofile(threads_profile)

    def _restore_settings(self, found: list[Any]) -> None:
        for setting, value, before in zip(SETTINGS, found, self._settings, strict=True):
            if value != before:
                setting.put_back(before)

    def _restore_clocks(self) -> None:
        vars(time).update(self._clocks)
        time.tzset()  # the names of the zone are among them
        self._clock_values = tuple(vars(time).values())

    def _remember(self, names: dict[str, Any]) -> None:
        # Equal values in the same order have the same names, and tuples of them are compared in half the time.
        self._builtins, self._values = dict(names), tuple(names.values())

    def has_all_modules(self) -> bool:
        """Whether there are at least as many modules as at the last call. A run may import others."""
        before, self._module_count = self._module_count, len(sys.modules)
        return self._module_count >= before
