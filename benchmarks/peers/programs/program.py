"""What the programs share: they are spoken to in lines, and the first that they say is the peer's version.

`python -m benchmarks.peers.programs.NAME work ADDRESS` runs tasks for good: `noop`, which does nothing, and `clock`,
which says when it runs. `python -m benchmarks.peers.programs.NAME lead ADDRESS` has the tables made, and answers each
`drain NUMBER` with the seconds in which the workers have run so many, and each `submit` with when a `clock` was stored.
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
        """The peer's own."""
        return version(self.package)

    @abstractmethod
    def migrate(self) -> None:
        """After: what the peer keeps its tasks in is there."""

    @abstractmethod
    def preload(self, number: int) -> None:
        """After: nothing but so many no-ops is there, and no worker sees them yet."""

    @abstractmethod
    def release(self) -> None:
        """After: the workers see them, and have been told."""

    @abstractmethod
    def left(self) -> bool:
        """Whether any of them still waits, runs, or has its end yet to be written."""

    @abstractmethod
    def submit(self) -> None:
        """After: a `clock` is stored."""

    @abstractmethod
    def work(self, ready: Callable[[], None]) -> None:
        """Runs tasks for good; calls `ready` when it is about to, or does."""


def noop() -> None:
    """Nothing."""


def clock() -> None:
    """Says when it runs."""
    say(time.time())


def say(what: object) -> None:
    """One line, at once, whatever became of sys.stdout."""
    os.write(1, f"{what}\n".encode())


def main(program: type[Program]) -> None:
    """What the command line asks for."""
    role, address = sys.argv[1:]
    {"work": work, "lead": lead}[role](program(address))


def work(peer: Program) -> None:
    """As a worker."""
    peer.work(ready=lambda: say(peer.version()))


def lead(peer: Program) -> None:
    """As the one that is asked."""
    peer.migrate()
    say(peer.version())
    for line in sys.stdin:
        name, *numbers = line.split()
        say(ANSWERS[name](peer, *map(int, numbers)))


def drain(peer: Program, number: int) -> float:
    """The seconds from when they are released until the end of the last is written."""
    peer.preload(number)
    began = time.perf_counter()
    peer.release()
    while peer.left():
        time.sleep(PAUSE)
    return time.perf_counter() - began


def submit(peer: Program) -> float:
    """When it was stored."""
    peer.submit()
    return time.time()


ANSWERS: Mapping[str, Callable[..., float]] = {"drain": drain, "submit": submit}
