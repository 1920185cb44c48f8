"""The start of a child, run as a file. It imports our modules as parts of one package, so that the user's come first.

A user may have packages of any name, `domain` and `adapters` too. So ours are in none of the user's names: they stand
under OURS alone, and their imports of each other are led there. `flask_tasks`, which the user imports too, keeps its
name.
"""

import builtins
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

OURS = "_flask_tasks_service"
PACKAGES = frozenset({"domain", "application", "adapters", "entrypoints"})
FOLDER = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.abspath(os.path.join(FOLDER, *[os.pardir] * 4))


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """What an import statement of ours calls: one of our packages is that under OURS."""
    if level == 0 and name.partition(".")[0] in PACKAGES:
        found = PLAIN_IMPORT(f"{OURS}.{name}", globals, locals, fromlist or (), 0)
        return found if fromlist else sys.modules[f"{OURS}.{name.partition('.')[0]}"]
    return PLAIN_IMPORT(name, globals, locals, fromlist or (), level)


PLAIN_IMPORT = builtins.__import__
BUILTINS = {**vars(builtins), "__import__": _import}


class OurLoader(SourceFileLoader):
    """Loads a module of ours, and leads its imports to others of ours."""

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = BUILTINS
        super().exec_module(module)


class Finder:
    """Finds our modules under OURS, and packages of the user that have the names of ours."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of such a module; None of any other."""
        if name.startswith(f"{OURS}."):
            return _ours(PathFinder.find_spec(name, path))
        if name in PACKAGES:
            # Ours are there too, where the user's folder is ours or PYTHONPATH names it: they come last.
            return PathFinder.find_spec(name, [each for each in sys.path if os.path.realpath(each) != ROOT])
        return None


def _ours(spec: ModuleSpec | None) -> ModuleSpec | None:
    if spec and spec.origin:
        spec.loader = OurLoader(spec.name, spec.origin)
    return spec


def main(arguments: Sequence[str]) -> Any:
    """Arrange the imports, and run the child."""
    if sys.path and os.path.realpath(sys.path[0]) == FOLDER:
        sys.path[0] = os.getcwd()
    package = sys.modules[OURS] = ModuleType(OURS)
    package.__path__ = [ROOT]
    sys.meta_path.insert(0, Finder)
    return import_module(f"{OURS}.adapters.executors.process.child.main").main(*arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
