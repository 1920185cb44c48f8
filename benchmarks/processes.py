"""CPU and memory of processes, as Linux reports them."""

import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress

import psutil
import psycopg2


def process_tree(pid: int) -> Sequence[psutil.Process]:
    """A process and its descendants."""
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def server(url: str) -> Sequence[psutil.Process]:
    """The processes of the database, with those that serve connections."""
    with closing(psycopg2.connect(url)) as connection:
        postmaster = psutil.Process(connection.info.backend_pid).parent()
        assert postmaster
        return [each for each in process_tree(postmaster.pid) if each.pid != connection.info.backend_pid]


def memory(processes: Iterable[psutil.Process]) -> float:
    """Megabytes; memory that several processes share counts in part for each (PSS)."""
    return sum(each.memory_full_info().pss for each in processes) / 1e6


def cpu_percent(processes: Sequence[psutil.Process], seconds: float) -> float:
    """CPU of the processes over that many seconds, in percent of a core."""
    before = _cpu(processes)
    time.sleep(seconds)
    return 100 * (_cpu(processes) - before) / seconds


def _cpu(processes: Iterable[psutil.Process]) -> float:
    """Seconds of CPU; an ended process counts for the parent that has waited for it."""
    seconds = 0.0
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            user, system, ended_user, ended_system, *_ = each.cpu_times()
            seconds += user + system + ended_user + ended_system
    return seconds
