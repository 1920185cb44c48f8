"""Restore the interpreter after a run: tracing, clocks, settings, warnings, built-in names, the path of modules."""

import builtins
import faulthandler
import gc
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from operator import call
from typing import Any

from adapters.executors.process.child.settings import RARE_SETTINGS, SETTINGS, Setting, enable_stack_dumps

READS, RARE_READS = ([setting.read for setting in settings] for settings in (SETTINGS, RARE_SETTINGS))


class InterpreterSnapshot:
    """The interpreter as it is when the snapshot is made. Additions of a run stay, since a module may need them."""

    def __init__(self) -> None:
        self._settings, self._rare_settings = list(map(call, READS)), list(map(call, RARE_READS))
        self._clocks, self._clock_values = dict(vars(time)), tuple(vars(time).values())
        self._traces = sys.gettrace(), sys.getprofile(), threading.gettrace(), threading.getprofile()
        self._filters = list(warnings.filters)
        self._path = list(sys.path)
        self._remember(vars(builtins))
        self._module_count = len(sys.modules)
        self._modules, self._module_values = dict(sys.modules), tuple(sys.modules.values())
        self._was_frozen = gc.get_freeze_count() > 0

    def restore(self) -> None:
        """Put all of it back, and missing entries of `sys.path`."""
        self._restore_tracing()
        if (found := list(map(call, READS))) != self._settings:
            _put_back(SETTINGS, found, self._settings)
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

    def restore_rare(self) -> None:
        """Put the rest back: settings that functions rarely change, and modules that others stand in for."""
        if (found := list(map(call, RARE_READS))) != self._rare_settings:
            _put_back(RARE_SETTINGS, found, self._rare_settings)
        if tuple(sys.modules.values()) != self._module_values:
            self._restore_modules()
        if not self._was_frozen and gc.get_freeze_count():  # to count them takes long where there are many
            gc.unfreeze()
        enable_stack_dumps()

    def _restore_modules(self) -> None:
        """Put back modules that others stand in for. Those that a run has imported are known from now on."""
        sys.modules.update({name: module for name, module in self._modules.items() if name in sys.modules})
        self._modules, self._module_values = dict(sys.modules), tuple(sys.modules.values())

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


def _put_back(settings: Sequence[Setting], found: Sequence[Any], before: Sequence[Any]) -> None:
    for setting, value, standing in zip(settings, found, before, strict=True):
        if value != standing:
            setting.put_back(standing)
