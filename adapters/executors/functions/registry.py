"""All that can be run here: the functions by the name of their type."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from adapters.executors.functions import failures
from adapters.executors.functions.describe import described
from adapters.executors.functions.discovery import functions
from adapters.executors.functions.execute import execute
from domain.failure import Failure
from domain.ids import TypeName
from domain.task_type import TaskType
from flask_tasks import Progress


class FunctionRegistry:
    """The functions that these files and modules have. CannotImport, from here or from `types`, if they are no good."""

    def __init__(self, entries: Sequence[str], directory: Path) -> None:
        self._functions = functions(entries, directory)

    def types(self) -> list[TaskType]:
        """What can be run, as it is published."""
        return [described(each) for each in self._functions.values()]

    def version(self) -> bytes:
        """What tells these functions from others of the same names: their files, and how old these are."""
        modules = {sys.modules.get(each.call.__module__) for each in self._functions.values()}
        paths = sorted(str(getattr(each, "__file__", "")) for each in modules)
        return repr([(path, os.stat(path).st_mtime_ns) for path in paths if os.path.exists(path)]).encode()

    def prepare(self, type: TypeName) -> bool:
        """Import what checking its arguments takes. Whether it is handed a progress, so that it sees when to stop."""
        function = self._functions.get(type)
        try:
            return function is not None and function.arguments.takes_progress
        except Exception:  # `perform` says what is wrong
            return False

    def perform(self, type: TypeName, args: str, progress: Progress) -> str | Failure:
        """The result as JSON text, or what went wrong. Never raises."""
        if type not in self._functions:
            return failures.unknown(type)
        return execute(self._functions[type], args, progress)
