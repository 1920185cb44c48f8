"""Processes whose output nothing reads: they go on working, and end when they are asked to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.conftest import ROOT
from tests.e2e.service import Service, eventually

FUNCTIONS = str(ROOT / "tests" / "e2e" / "functions.py")
BREAK_CONNECTIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


class FullPipe:
    """A pipe that holds as much as it can."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.writer, False)
        self.filler = b"." * 4096
        try:
            while True:
                os.write(self.writer, self.filler)
        except BlockingIOError:
            pass
        os.set_blocking(self.writer, True)

    def read(self) -> str:
        """Read what it holds now."""
        os.set_blocking(self.reader, False)
        chunks = []
        while chunk := _read(self.reader):
            chunks.append(chunk)
        return b"".join(chunks).decode()

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return b""


@pytest.fixture
def full_pipe() -> Iterator[FullPipe]:
    with closing(FullPipe()) as pipe:
        yield pipe


def start(service: Service, name: str, pipe: FullPipe) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-m", f"entrypoints.{name}"],
        cwd=ROOT,
        env=service.environment,
        stdout=pipe.writer,
        stderr=pipe.writer,
    )
    service.processes.append(process)
    return process


def test_a_service_whose_log_nothing_reads_claims_renews_answers_and_stops(
    new_service: Callable[..., Service], full_pipe: FullPipe
):
    service = new_service(TASKS=f"tasks/tasks.py,{FUNCTIONS}", LEASE="2")
    processes = [start(service, name, full_pipe) for name in ("http", "handler", "janitor")]
    service.await_ready("add", "slow")
    long = service.submit("slow", {"seconds": 7})
    # A database that breaks all connections has every process log some lines.
    for _ in range(3):
        with closing(psycopg2.connect(service.environment["DATABASE_URL"])) as connection:
            connection.cursor().execute(BREAK_CONNECTIONS + " AND datname = current_database()")
        eventually(lambda: service.status("/health/ready") == 200)
        assert service.run("add", {"a": 1, "b": 2})["status"] == "done"
        time.sleep(1)
    ended = service.await_status(long["id"], "done", "failed")
    assert (ended["status"], ended["attempt"]) == ("done", 1)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    for process in processes:
        assert process.wait(10) == 0
    assert time.monotonic() - began < 8


PRINTS = """
import sys, time
from entrypoints import log_streams
log_streams.install()
for number in range(5000):
    print(f"line {number}", file=sys.stderr)
print("printed")
sys.stdout.drain()
"""


def program(text: str, stderr: int, stdout: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdout=stdout, stderr=stderr)


def test_dropped_lines_are_counted_and_said_when_the_log_is_read_again(full_pipe: FullPipe):
    reads = program(PRINTS + "time.sleep(2); print('more', file=sys.stderr)\n", full_pipe.writer, subprocess.PIPE)
    with reads:
        assert reads.stdout
        assert reads.stdout.readline() == b"printed\n"
        output = full_pipe.read()
        assert reads.wait(20) == 0
        output += full_pipe.read()
    kept = output.count("line ")
    dropped = int(output.partition(" log lines were dropped, since nothing read the log")[0].rpartition("\n")[2])
    assert 0 < kept < 5000
    assert dropped == 5000 - kept
    assert output.endswith("more\n")


def test_lines_that_are_written_at_the_very_end_are_not_lost():
    text = "from entrypoints import log_streams; log_streams.install(); print('last'); raise ValueError('the end')"
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "last\n"
    assert "ValueError: the end" in done.stderr


def test_a_reader_that_has_gone_ends_no_process():
    reader, writer = os.pipe()
    os.close(reader)
    text = "from entrypoints import log_streams; log_streams.install(); import sys; print('x' * 99999, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, stdout=writer, stderr=writer)
    os.close(writer)
    assert done.returncode == 0
