"""Restore the interpreter after a run: built-in names, the path of modules, the recursion limit."""

import builtins
import sys
from typing import Any


class InterpreterSnapshot:
    """The interpreter as it is when the snapshot is made. Additions of a run stay, since a module may need them."""

    def __init__(self) -> None:
        self._recursion_limit = sys.getrecursionlimit()
        self._path = list(sys.path)
        self._remember(vars(builtins))
        self._module_count = len(sys.modules)

    def restore(self) -> None:
        """Put the built-in names, missing entries of `sys.path` and the recursion limit back."""
        names = vars(builtins)
        if tuple(names.values()) != self._values:
            names.update(self._builtins)
            self._remember(names)
        if sys.path != self._path and not {*self._path} <= {*sys.path}:
            sys.path[:] = self._path
        sys.setrecursionlimit(self._recursion_limit)

    def _remember(self, names: dict[str, Any]) -> None:
        # Equal values in the same order have the same names, and tuples of them are compared in half the time.
        self._builtins, self._values = dict(names), tuple(names.values())

    def has_all_modules(self) -> bool:
        """Whether there are at least as many modules as at the last call. A run may import others."""
        before, self._module_count = self._module_count, len(sys.modules)
        return self._module_count >= before
