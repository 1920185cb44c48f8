"""Leftovers of a run: threads and programs that go on after it. They cost the process, and have a cure."""

import os
import signal
import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

END_SECONDS = 0.02
"""Seconds that threads have to end which are about to: those of a pool, for one, that was just collected."""
MAX_NAMES = 3
"""Threads or programs that are named."""
CURES = {
    "tqdm": "set `tqdm.monitor_interval = 0`",
    "joblib": "call `joblib.externals.loky.get_reusable_executor().shutdown()`, or use `n_jobs=1`",
    "loky": "call `loky.get_reusable_executor().shutdown()`",
    "concurrent.futures.thread": "use `with ThreadPoolExecutor() as pool:`",
    "concurrent.futures.process": "use `with ProcessPoolExecutor() as pool:`",
    "multiprocessing.pool": "use `with Pool() as pool:`",
    "multiprocessing.queues": "call `close()` and `join_thread()` of its queue",
    "apscheduler": "call `shutdown()` of its scheduler",
    "watchdog": "call `stop()` and `join()` of its observer",
}
"""Cures by the modules of the threads: of their classes, or of the functions that they run."""
CURE_OF_OTHERS = "call its `join()`"
ALTERNATIVE = "in the function, or start it when the module is imported"


def describe_threads(before: Collection[threading.Thread]) -> str:
    """A sentence that names the threads that were not there before and the cure; nothing if there are none."""
    if threading.active_count() <= len(before) or not (threads := _threads_left(before)):
        return ""
    names = _listed([f"{each.name} ({type(each).__name__})" for each in threads])
    cure = f"To keep its process, {_cure(threads[0])} {ALTERNATIVE}"
    return f"it left {_counted(threads, 'thread')} running: {names}. {cure}"


def describe_programs(before: Collection[int]) -> str:
    """A sentence that names the programs that were not there before and the cure; nothing if there are none."""
    if not _has_children():
        return ""
    found = children()
    left = sorted(found - {*before})
    if found and not left:
        return ""
    names = _listed([f"{each} ({_program_name(each)})" for each in left]) or "their names are unknown"
    return f"it left programs running: {names}. To keep its process, wait for them {ALTERNATIVE}"


def end_programs() -> None:
    """Kill what this process has started: an exit function, as that of `multiprocessing`, may wait for it."""
    for process in children():
        with suppress(OSError):
            os.kill(process, signal.SIGKILL)


def children() -> frozenset[int]:
    """The processes that this one has started, where the system tells."""
    found: list[int] = []
    for tasks in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, tasks.read_text().split())
    return frozenset(found)


def _has_children() -> bool:
    """Whether a child of this process is alive. Those that have ended are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _threads_left(before: Collection[threading.Thread]) -> Sequence[threading.Thread]:
    """The threads that were not there before, and do not end within a moment."""
    left = [each for each in threading.enumerate() if each not in before]
    for thread in left[:1]:  # all threads of a pool end together
        with suppress(RuntimeError):  # it is no thread that can be waited for
            thread.join(END_SECONDS)
    return [each for each in left if each.is_alive()]


def _cure(thread: threading.Thread) -> str:
    modules = [str(getattr(each, "__module__", "")) for each in (type(thread), getattr(thread, "_target", None))]
    for name, cure in CURES.items():
        if any(module == name or module.startswith(f"{name}.") for module in modules):
            return cure
    return "call its `cancel()`" if isinstance(thread, threading.Timer) else CURE_OF_OTHERS


def _counted(things: Sequence[object], name: str) -> str:
    return f"a {name}" if len(things) == 1 else f"{len(things)} {name}s"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_NAMES]) + (", …" if len(names) > MAX_NAMES else "")


def _program_name(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/comm").read_text().strip()
    return "?"
