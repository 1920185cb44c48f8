"""dependency-injector, without the frameworks that it would look for: it imports all that are installed, to wire them.

Nothing is wired here, and they would be a quarter of the memory of a handler, and of the time in which it starts.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType

FRAMEWORKS = {"fast_depends", "fastapi", "pydantic", "pydantic_settings", "starlette", "werkzeug", "yaml"}


class _Hidden(MetaPathFinder):
    """Says of the frameworks that they are not there."""

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> None:
        if fullname in FRAMEWORKS:
            raise ModuleNotFoundError(fullname, name=fullname)


@contextmanager
def _hidden() -> Iterator[None]:
    """For as long as the block lasts. Who has imported them already keeps them."""
    finder = _Hidden()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with _hidden():
    from dependency_injector import containers, providers

__all__ = ["containers", "providers"]
