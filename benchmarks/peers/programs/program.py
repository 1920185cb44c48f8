"""The common part of the programs, and their line protocol. The first line that a program prints is the peer's version.

`python -m benchmarks.peers.programs.NAME work ADDRESS` runs tasks for ever: `noop`, which does nothing, and `clock`,
which prints the time. `python -m benchmarks.peers.programs.NAME lead ADDRESS` makes the tables, answers each
`drain NUMBER` with the seconds that the workers took for that many no-ops, and each `submit` with the time at which a
`clock` was stored.
"""

import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from importlib.metadata import version

PAUSE = 0.01


class Program(ABC):
    """A peer over the server at an address."""

    package: str

    def __init__(self, address: str) -> None:
        self.address = address

    def version(self) -> str:
        """The version of the peer."""
        return version(self.package)

    @abstractmethod
    def migrate(self) -> None:
        """Make the tables of the peer."""

    @abstractmethod
    def preload(self, number: int) -> None:
        """Store that many no-ops and nothing else, invisible to the workers."""

    @abstractmethod
    def release(self) -> None:
        """Make the no-ops visible, and notify the workers."""

    @abstractmethod
    def left(self) -> bool:
        """Whether any of them waits, runs, or is not yet recorded as ended."""

    @abstractmethod
    def submit(self) -> None:
        """Store a `clock`."""

    @abstractmethod
    def work(self, ready: Callable[[], None]) -> None:
        """Run tasks for ever; calls `ready` once, at the start."""


def noop() -> None:
    """Do nothing."""


def clock() -> None:
    """Print the time at which it runs."""
    say(time.time())


def say(what: object) -> None:
    """Print one line at once, even where `sys.stdout` was replaced."""
    os.write(1, f"{what}\n".encode())


def main(program: type[Program]) -> None:
    """Run the role that the command line names."""
    role, address = sys.argv[1:]
    {"work": work, "lead": lead}[role](program(address))


def work(peer: Program) -> None:
    """Run as a worker."""
    peer.work(ready=lambda: say(peer.version()))


def lead(peer: Program) -> None:
    """Answer the lines on standard input."""
    peer.migrate()
    say(peer.version())
    for line in sys.stdin:
        name, *numbers = line.split()
        say(ANSWERS[name](peer, *map(int, numbers)))


def drain(peer: Program, number: int) -> float:
    """The seconds from the release of the no-ops until the last is recorded as ended."""
    peer.preload(number)
    began = time.perf_counter()
    peer.release()
    while peer.left():
        time.sleep(PAUSE)
    return time.perf_counter() - began


def submit(peer: Program) -> float:
    """Store a `clock`; answers the time."""
    peer.submit()
    return time.time()


ANSWERS: Mapping[str, Callable[..., float]] = {"drain": drain, "submit": submit}
