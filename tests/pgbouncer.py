"""A PgBouncer in transaction mode in front of a PostgreSQL."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.ports import free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="needs PgBouncer: apt-get install pgbouncer")

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pgbouncer(url: str, folder: Path, pool_size: int = 20) -> Iterator[str]:
    """The URL of the same database behind a pooler, which runs during the block."""
    parts = urlsplit(url)
    port = free_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(
            host=parts.hostname,
            port=parts.port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            listen_port=port,
            pool_size=pool_size,
        )
    )
    with (folder / "pgbouncer.log").open("wb") as log:
        # PgBouncer refuses to run as root. It reads the configuration first.
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
        readable = Path(shutil.copy(configuration, _public_folder(folder)))
        process = subprocess.Popen([str(PROGRAM), str(readable)], stdout=log, stderr=log, **user)  # type: ignore[call-overload]
    try:
        _await_listening(port, process, folder / "pgbouncer.log")
        yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(readable.parent)


def _public_folder(folder: Path) -> Path:
    """A folder that any user can read; those of pytest belong to their user alone."""
    public = Path("/tmp") / f"pgbouncer-{os.getpid()}-{abs(hash(folder))}"
    public.mkdir(mode=0o755)
    return public


def _await_listening(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 10
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
