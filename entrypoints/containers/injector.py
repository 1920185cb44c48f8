"""dependency-injector, imported without the web frameworks that it imports for wiring where they are installed.

Nothing is wired here, and the frameworks would take a quarter of a handler's memory and start time.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType

FRAMEWORKS = {"fast_depends", "fastapi", "pydantic", "pydantic_settings", "starlette", "werkzeug", "yaml"}


class _FrameworkHider(MetaPathFinder):
    """An import finder that raises ModuleNotFoundError for the frameworks."""

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> None:
        if fullname in FRAMEWORKS:
            raise ModuleNotFoundError(fullname, name=fullname)


@contextmanager
def _frameworks_hidden() -> Iterator[None]:
    """Hide the frameworks during the block. Those imported before stay imported."""
    finder = _FrameworkHider()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with _frameworks_hidden():
    from dependency_injector import containers, providers

__all__ = ["containers", "providers"]
