"""What processes take of the machine, as Linux tells it."""

import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress

import psutil
import psycopg2


def family(pid: int) -> Sequence[psutil.Process]:
    """A process and all that came from it."""
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def server(url: str) -> Sequence[psutil.Process]:
    """The processes of the database, those that serve connections included."""
    with closing(psycopg2.connect(url)) as connection:
        postmaster = psutil.Process(connection.info.backend_pid).parent()
        assert postmaster
        return [each for each in family(postmaster.pid) if each.pid != connection.info.backend_pid]


def memory(processes: Iterable[psutil.Process]) -> float:
    """Megabytes, of what several share each a part (PSS)."""
    return sum(each.memory_full_info().pss for each in processes) / 1e6


def busy(processes: Sequence[psutil.Process], seconds: float) -> float:
    """How much of a core they take, in percent."""
    before = _cpu(processes)
    time.sleep(seconds)
    return 100 * (_cpu(processes) - before) / seconds


def _cpu(processes: Iterable[psutil.Process]) -> float:
    """Seconds; what has ended meanwhile counts with who has waited for its end."""
    seconds = 0.0
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            user, system, ended_user, ended_system, *_ = each.cpu_times()
            seconds += user + system + ended_user + ended_system
    return seconds
