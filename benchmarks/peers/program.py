"""A program of a peer, as its own process, spoken to in lines."""

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.peers import environment
from benchmarks.peers.peer import Peer
from benchmarks.service import PATIENCE, ROOT


class Program:
    """What it is asked and what it says."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.version = self.says()

    def ask(self, question: str) -> float:
        """The answer."""
        assert self._process.stdin
        self._process.stdin.write(f"{question}\n".encode())
        return float(self.says())

    def says(self) -> str:
        """The next line. RuntimeError where none comes."""
        output = self._process.stdout
        assert output
        heard, *_ = select.select([output], [], [], PATIENCE)
        if not heard or not (line := output.readline()):
            raise RuntimeError(f"{self._process.args!r} says nothing; see {environment.FOLDER}/log")
        return line.decode().rstrip("\n")


@contextmanager
def program(peer: Peer, role: str, address: str) -> Iterator[Program]:
    """It, from when it is ready until the end of the block, with all that it has started."""
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    if "node" in peer.needs:
        variables["NODE_PATH"] = str(environment.node_modules())
    command = (environment.python(), "-m", f"benchmarks.peers.programs.{peer.program}", role, address)
    with open(environment.FOLDER / "log", "ab") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=variables,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield Program(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
