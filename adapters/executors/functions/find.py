"""Finding the functions that can be run in the files and modules that TASKS names."""

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from adapters.executors.functions.function import Function
from domain.ids import DEFAULT_TYPE, TypeName
from flask_tasks.decorator import MARK, TaskOptions

HOOK = "ExecuteWhenRunningTask"


class CannotImport(Exception):
    """The user's code cannot be used as it is; the message is a sentence for whoever wrote it."""


def functions(entries: Sequence[str]) -> dict[TypeName, Function]:
    """Every function that these files and modules have for a type, by its name. CannotImport says what is wrong."""
    found: dict[TypeName, Function] = {}
    for entry in entries:
        for function in _in_module(_imported(entry)):
            other = found.setdefault(function.type, function)
            if other.call is not function.call:
                raise CannotImport(f"two functions serve {function.type}: {place(other)} and {place(function)}")
    if not found:
        raise CannotImport(f"{', '.join(entries) or 'TASKS'} has no function marked with @task, and no {HOOK}")
    return found


def files(functions: Iterable[Function]) -> bytes:
    """What tells these functions from others of the same names: the files that they are from, and how old they are."""
    modules = {sys.modules.get(each.call.__module__) for each in functions}
    paths = sorted({str(getattr(module, "__file__", "")) for module in modules})
    return repr([(path, os.stat(path).st_mtime_ns) for path in paths if os.path.exists(path)]).encode()


def _in_module(module: ModuleType) -> Iterator[Function]:
    for name, value in vars(module).items():
        options = getattr(value, "__dict__", {}).get(MARK)
        if name == HOOK and callable(value):
            yield Function(DEFAULT_TYPE, value, options or TaskOptions(), takes_whole=True)
        elif isinstance(options, TaskOptions):
            yield Function(TypeName(options.name or value.__name__), value, options)


def _imported(entry: str) -> ModuleType:
    try:
        return _from_file(Path(entry).absolute()) if _is_file(entry) else importlib.import_module(entry)
    except BaseException as error:
        raise CannotImport(f"{entry} cannot be imported: {_why(error, entry)}") from error


def _is_file(entry: str) -> bool:
    return entry.endswith(".py") or "/" in entry


def _from_file(path: Path) -> ModuleType:
    """The module of that file, under the name by which others in its folder import it."""
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    name = path.stem if path.stem not in sys.modules else str(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is not a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _why(error: BaseException, entry: str) -> str:
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        return f"{kind}: {error.msg} (line {error.lineno})"
    if isinstance(error, FileNotFoundError) and error.filename == str(Path(entry).absolute()):
        return "there is no such file"
    line = _last_line_in(entry, error)
    return f"{kind}: {error} (line {line})" if line else f"{kind}: {error}"


def _last_line_in(entry: str, error: BaseException) -> int | None:
    name = str(Path(entry).absolute()) if _is_file(entry) else getattr(sys.modules.get(entry), "__file__", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
    return lines[-1] if lines else None


def place(function: Function) -> str:
    """Where it is written, in words."""
    code = getattr(function.call, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function.call)
