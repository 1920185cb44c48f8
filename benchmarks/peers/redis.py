"""A temporary Redis server."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from benchmarks.http import free_port
from benchmarks.service import wait_until


@contextmanager
def redis() -> Iterator[str]:
    """Run the server until the end of the block; yields its address. It writes nothing to disk, which is fastest."""
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning")
    with TemporaryDirectory() as folder:
        server = subprocess.Popen(
            ("redis-server", *options), cwd=folder, stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            wait_until(lambda: answers(port))
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def answers(port: int) -> bool:
    """Whether a server listens on that port."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
