"""Find the functions that can be run in the files and modules that TASKS names."""

import importlib
import importlib.util
import sys
import sysconfig
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import flask_tasks
from adapters.executors.functions.function import Function
from domain.ids import DEFAULT_TYPE, TypeName
from flask_tasks.decorator import MARK, TaskOptions

DEFAULT_FUNCTION = "ExecuteWhenRunningTask"
_NOT_THE_USERS = (
    "<",
    str(Path(flask_tasks.__file__).parent),
    str(Path(__file__).parents[1]),
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("purelib"),
)
"""Beginnings of the paths of files that are not the user's: ours, Python's, and those of installed packages."""


class CannotImport(Exception):
    """The user's code cannot be used as it is; the message is a sentence for its author."""


def find_functions(entries: Sequence[str], directory: Path) -> dict[TypeName, Function]:
    """Every function for a type in these files and modules, by the name of its type.

    A relative path is resolved in the directory.
    Raises CannotImport: a file or module cannot be used; the message says why.
    """
    found: dict[TypeName, Function] = {}
    for entry in entries:
        for function in _functions_of(_import(entry, directory)):
            other = found.setdefault(function.type, function)
            if other.call is not function.call:
                raise CannotImport(f"two functions serve {function.type}: {location(other)} and {location(function)}")
    if not found:
        raise CannotImport(
            f"{', '.join(entries) or 'TASKS'} has no function marked with @task, and no {DEFAULT_FUNCTION}"
        )
    return found


def location(function: Function) -> str:
    """The file and line of a function."""
    code = getattr(function.call, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function.call)


def _functions_of(module: ModuleType) -> Iterator[Function]:
    for name, value in vars(module).items():
        options = getattr(value, "__dict__", {}).get(MARK)
        if name == DEFAULT_FUNCTION and callable(value):
            yield Function(DEFAULT_TYPE, value, options or TaskOptions(), takes_whole=True)
        elif isinstance(options, TaskOptions):
            yield Function(TypeName(options.name or value.__name__), value, options)


def _import(entry: str, directory: Path) -> ModuleType:
    path = (directory / entry).absolute() if entry.endswith(".py") or "/" in entry else None
    try:
        return _import_file(path) if path else importlib.import_module(entry)
    except BaseException as error:
        raise CannotImport(f"{entry} cannot be imported: {_reason(error, path)}") from error


def _import_file(path: Path) -> ModuleType:
    """Import the file under the name by which other modules in its folder import it."""
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    name = path.stem if path.stem not in sys.modules else str(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is not a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _reason(error: BaseException, path: Path | None) -> str:
    if path is not None and not path.is_file():
        return "there is no such file"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({_line(error.filename, error.lineno, path)})"
    frames = [
        each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith(_NOT_THE_USERS)
    ]
    where = f" ({_line(frames[-1].filename, frames[-1].lineno, path)})" if frames else ""
    return f"{type(error).__name__}: {error}{where}{_cure(error, path)}"


def _cure(error: BaseException, path: Path | None) -> str:
    """The end of the sentence where a module is missing: where its package is named, so that it is installed."""
    if not isinstance(error, ModuleNotFoundError):
        return ""
    file = path.with_name("requirements.txt") if path else "the requirements.txt of the tasks"
    return f"; if a package from PyPI has it, name that package in {file}, and start again"


def _line(file: str | None, line: int | None, path: Path | None) -> str:
    return f"line {line}" if file == str(path) else f"{file}, line {line}"
