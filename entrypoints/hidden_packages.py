"""Imports of libraries without packages that they would import where those are installed, and that we do not need."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType


class _PackageHider(MetaPathFinder):
    """An import finder that raises ModuleNotFoundError for some packages."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> None:
        if fullname in self._names:
            raise ModuleNotFoundError(fullname, name=fullname)


@contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Hide the packages during the block. Those imported before stay imported."""
    finder = _PackageHider(frozenset(names))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
