"""The files of the user's functions, and whether they have changed."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

SKIPPED_FOLDERS = {"__pycache__", "node_modules", "site-packages"}
"""Folders that hold no files of the user's, beside those whose names begin with a dot."""

Files = Mapping[str, tuple[int, int]]
"""The time of the last change and the size of each file, by its path."""


class WatchedFiles:
    """The Python files in the folders of these files and modules, and below. Relative names begin at `root`."""

    def __init__(self, tasks: Sequence[str], root: Path) -> None:
        self._folders = {_folder(root, task) for task in tasks}
        self._reported = self._seen = self._read()

    def have_changed(self) -> bool:
        """Whether they differ from those that were reported last. Reports a change once, when no further one follows.

        A program may save in several steps, so a change is reported by the first call that sees none after it.
        """
        before, self._seen = self._seen, self._read()
        if self._seen != before or self._seen == self._reported:
            return False
        self._reported = self._seen
        return True

    def _read(self) -> Files:
        return {path: found for folder in self._folders for path, found in _files(folder)}


def _folder(root: Path, task: str) -> Path:
    """The folder of a file; of a module, its package, or the folder that has it."""
    if task.endswith(".py") or "/" in task:
        return (root / task).parent
    package = root.joinpath(*task.split("."))
    return package if package.is_dir() else package.parent


def _files(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each not in SKIPPED_FOLDERS and not each.startswith(".")]
        for path in (os.path.join(parent, name) for name in names if name.endswith(".py")):
            with suppress(OSError):  # It was removed meanwhile.
                status = os.stat(path)
                yield path, (status.st_mtime_ns, status.st_size)
