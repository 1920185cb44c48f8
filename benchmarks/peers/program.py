"""The process of a peer's program, with a line protocol over its pipes."""

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.peers import environment
from benchmarks.peers.peer import Peer
from benchmarks.service import MAX_WAIT_SECONDS, ROOT


class Program:
    """The line protocol of a running program."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.version = self.says()

    def ask(self, question: str) -> float:
        """Send a line; answers the number on the next line."""
        assert self._process.stdin
        self._process.stdin.write(f"{question}\n".encode())
        return float(self.says())

    def says(self) -> str:
        """The next line. RuntimeError where none comes in time."""
        output = self._process.stdout
        assert output
        heard, *_ = select.select([output], [], [], MAX_WAIT_SECONDS)
        if not heard or not (line := output.readline()):
            raise RuntimeError(f"{self._process.args!r} says nothing; see {environment.FOLDER}/log")
        return line.decode().rstrip("\n")


@contextmanager
def program(peer: Peer, role: str, address: str) -> Iterator[Program]:
    """Run the program until the end of the block, then kill its process group; yields once it is ready."""
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
