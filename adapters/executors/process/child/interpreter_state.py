"""What a function can change of the interpreter that runs it, and that would surprise the next one."""

import builtins
import sys
from typing import Any


class InterpreterState:
    """Remembers how it is when it is made. What is added stays: a module that came meanwhile may need it."""

    def __init__(self) -> None:
        self._recursion = sys.getrecursionlimit()
        self._path = list(sys.path)
        self._remember(vars(builtins))
        self._modules = len(sys.modules)

    def restore(self) -> None:
        """Put back what was there of the built-in names and the way to modules, and how deep calls may go."""
        names = vars(builtins)
        if tuple(names.values()) != self._values:
            names.update(self._builtins)
            self._remember(names)
        if sys.path != self._path and not {*self._path} <= {*sys.path}:
            sys.path[:] = self._path
        sys.setrecursionlimit(self._recursion)

    def _remember(self, names: dict[str, Any]) -> None:
        # The same values in the same order are of the same names, and tuples of them are compared in half the time.
        self._builtins, self._values = dict(names), tuple(names.values())

    def is_whole(self) -> bool:
        """Whether the modules that there were still are. Others may have come."""
        before, self._modules = self._modules, len(sys.modules)
        return self._modules >= before
