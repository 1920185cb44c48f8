"""A disk of an experiment: a file system in memory, whose size can become what is used."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.machine import can_mount

MIN_FREE_BYTES = 32 * 1024
"""Bytes that stay free on a full disk, so that the first write after it does not always fail."""


class Disk:
    """The disk under a folder. Its size is no limit until it is filled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fill(self) -> None:
        """Leave no space but a few pages."""
        found = os.statvfs(self._folder)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        self._remount(f"size={used + MIN_FREE_BYTES}")

    def empty(self) -> None:
        """Give all its space back."""
        self._remount("size=80%")

    def _remount(self, option: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{option}", str(self._folder)], check=True)


@contextmanager
def mounted(folder: Path) -> Iterator[Disk | None]:
    """A disk under the folder during the block; None where the machine does not allow it."""
    folder.mkdir(mode=0o700)
    if not can_mount():
        yield None
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80%,mode=700", "chaos", str(folder)], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
