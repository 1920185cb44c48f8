"""The registry of the functions that can be run, by the name of their type."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from adapters.executors.functions import failures
from adapters.executors.functions.describe import describe
from adapters.executors.functions.discovery import find_functions
from adapters.executors.functions.execute import execute
from domain.failure import Failure
from domain.ids import TypeName
from domain.task_type import TaskType
from flask_tasks import Progress


class FunctionRegistry:
    """The functions of these files and modules.

    Raises CannotImport, here or in `types`: they cannot be used.
    """

    def __init__(self, entries: Sequence[str], directory: Path) -> None:
        self._functions = find_functions(entries, directory)

    def types(self) -> list[TaskType]:
        """The types of all functions, as they are published."""
        return [describe(each) for each in self._functions.values()]

    def version(self) -> bytes:
        """A version of the functions: the paths of their files, and when these were last modified."""
        modules = {sys.modules.get(each.call.__module__) for each in self._functions.values()}
        paths = sorted(str(getattr(each, "__file__", "")) for each in modules)
        return repr([(path, os.stat(path).st_mtime_ns) for path in paths if os.path.exists(path)]).encode()

    def prepare(self, type: TypeName) -> bool:
        """Import the modules that checking its arguments needs. Whether its function takes a progress."""
        function = self._functions.get(type)
        try:
            return function is not None and function.arguments.takes_progress
        except Exception:  # `perform` reports the error
            return False

    def perform(self, type: TypeName, args: str, progress: Progress) -> str | Failure:
        """Run the function of a type: its result as JSON text, or the failure. Never raises."""
        if type not in self._functions:
            return failures.unknown_type(type)
        return execute(self._functions[type], args, progress)
