"""Processes of this machine, as Linux shows them in /proc."""

import sys
from pathlib import Path

import pytest

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")


def is_alive(process: int) -> bool:
    """Whether the process has not ended. A zombie has."""
    return _fields(process)[0] != "Z"


def children_of(parent: int) -> list[int]:
    """The living children of a process."""
    processes = [int(each.name) for each in Path("/proc").glob("[0-9]*")]
    return [each for each in processes if _fields(each)[1] == str(parent) and is_alive(each)]


def _fields(process: int) -> list[str]:
    """State, parent and so on: the fields behind the name. Those of a process that is not there are a zombie's."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["Z", "0"]
