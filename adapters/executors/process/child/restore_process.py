"""Restore the process after a run: streams, signals, environment, folder. Detect what cannot be restored."""

import os
import resource
import signal
import sys
import threading

# The functions of `signal` convert each handler to an enum, which costs more than all the rest of `restore`.
from _signal import getsignal, pthread_sigmask, set_wakeup_fd  # type: ignore[import-not-found]
from time import tzset
from typing import Any

from adapters.executors.process.child.descriptors import copied, moved
from adapters.executors.process.child.leftovers import children, describe_programs, describe_threads
from adapters.executors.process.child.output import Output
from adapters.executors.process.child.restore_interpreter import InterpreterSnapshot
from adapters.executors.process.child.settings import SIGNALS

LIMITS = (
    resource.RLIMIT_AS,
    resource.RLIMIT_CORE,
    resource.RLIMIT_CPU,
    resource.RLIMIT_DATA,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_STACK,
)
SLOW_TIMERS = signal.ITIMER_VIRTUAL, signal.ITIMER_PROF
"""The timers of processor time, which the system looks at every few milliseconds."""

CHANGED_STANDING = "it changed the niceness, the scheduling, the user or a limit of its process"


class ProcessSnapshot:
    """The process as it is when the snapshot is made, before the first run."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._folder = moved(os.open(".", os.O_RDONLY | os.O_DIRECTORY))
        self._copies = [copied(stream) for stream in (0, 1, 2)]
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._environment = dict(os.environ)
        self._variables = dict(_variables())
        self._handlers = [getsignal(number) for number in SIGNALS]
        self._blocked = pthread_sigmask(signal.SIG_BLOCK, ())
        self._wake_up = set_wakeup_fd(-1)
        set_wakeup_fd(self._wake_up)
        self._mask = os.umask(0)
        os.umask(self._mask)
        self._standing = _standing()
        self._threads, self._children = frozenset(threading.enumerate()), children()
        self._interpreter = InterpreterSnapshot()

    def restore(self) -> str:
        """Restore what the next run would meet at once. If that is impossible, the reason; no run may follow then."""
        try:
            self._interpreter.restore()
            self._restore_streams()
            self._restore_signals()
            self._restore_environment()
            os.umask(self._mask)
            os.fchdir(self._folder)
        except Exception as error:
            return f"its state cannot be restored: {type(error).__name__}"
        if not self._interpreter.has_all_modules():
            return "it removed modules that were imported"
        return ""

    def restore_slow(self) -> str:
        """The same for what does no harm within a millisecond."""
        for timer in SLOW_TIMERS:
            signal.setitimer(timer, 0)
        leftover = describe_threads(self._threads) or describe_programs(self._children)
        return leftover or ("" if _standing() == self._standing else CHANGED_STANDING)

    def restore_rare(self) -> str:
        """The same for what functions rarely change."""
        try:
            self._interpreter.restore_rare()
        except Exception as error:
            return f"its state cannot be restored: {type(error).__name__}"
        return ""

    def _restore_streams(self) -> None:
        self._flush()
        for stream, copy in enumerate(self._copies):
            os.dup2(copy, stream)
        if any(each.closed for each in self._streams):
            self._output.open_streams()
            self._streams = sys.stdin, sys.stdout, sys.stderr
        sys.stdin, sys.stdout, sys.stderr = self._streams

    def _flush(self) -> None:
        _, out, error = self._streams
        _try_to_flush(sys.stdout)
        _try_to_flush(sys.stderr)
        if sys.stdout is not out or sys.stderr is not error:
            _try_to_flush(out)
            _try_to_flush(error)
        self._output.flush()

    def _restore_signals(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in zip(SIGNALS, self._handlers, strict=True):
            if getsignal(number) is not handler:
                signal.signal(number, handler)
        set_wakeup_fd(self._wake_up)
        pthread_sigmask(signal.SIG_SETMASK, self._blocked)

    def _restore_environment(self) -> None:
        if _variables() != self._variables:
            os.environ.clear()
            os.environ.update(self._environment)
            tzset()  # the variable of the zone may have been another one


def _variables() -> Any:
    # To compare the decoded names and values of os.environ would cost more than all the rest.
    return getattr(os.environ, "_data", os.environ)


def _standing() -> tuple[Any, ...]:
    """What the system allows this process. It may not be able to give back what it has given up."""
    limits = [resource.getrlimit(each) for each in LIMITS]
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    if sys.platform != "linux":
        return os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getgroups(), priority, limits
    scheduling = os.sched_getscheduler(0), os.sched_getaffinity(0), priority
    return os.getresuid(), os.getresgid(), os.getgroups(), scheduling, limits


def _try_to_flush(stream: Any) -> None:
    """Flush the stream, if it can be flushed."""
    try:
        stream.flush()
    except BaseException:  # it is closed or full, or a function has put another object in its place
        return
