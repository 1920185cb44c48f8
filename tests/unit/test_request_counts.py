"""The numbers of requests that the workers of an API share."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from entrypoints.metrics.request_counts import CELLS, RequestCounts, new_file
from tests.conftest import ROOT

WORKER = """
import sys
from pathlib import Path
from entrypoints.metrics.request_counts import RequestCounts
counts = RequestCounts(Path(sys.argv[1]))
for line in sys.stdin:
    counts.add(int(line))
    print(counts.sums()[int(line)], flush=True)
"""


@pytest.fixture
def file() -> Iterator[Path]:
    made = new_file(2)
    assert made
    yield made
    made.unlink()


class Worker:
    """A process that counts."""

    def __init__(self, file: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def add(self, cell: int) -> int:
        """Count one. The sum of all processes then."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{cell}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def test_the_numbers_of_all_processes_are_added_up_and_outlive_a_killed_one(file: Path):
    own = RequestCounts(file)
    workers = [Worker(file), Worker(file)]
    assert [own.sums()[3], workers[0].add(3), workers[1].add(3)] == [0, 1, 2]
    workers[0].kill()
    own.add(3)
    workers.append(Worker(file))
    assert [workers[2].add(3), workers[1].add(3), workers[1].add(CELLS - 1)] == [4, 5, 1]
    for worker in workers[1:]:
        worker.kill()
    assert (own.sums()[3], own.sums()[CELLS - 1], sum(own.sums())) == (5, 1, 6)
    # Each process has a row of its own, and the last one has that of the killed one.
    rows = [memoryview(file.read_bytes()).cast("Q")[row * CELLS + 3] for row in range(4)]
    assert sorted(rows) == [0, 1, 2, 2]


def test_threads_lose_no_count():
    counts = RequestCounts()

    def add_many(_: int) -> None:
        for _ in range(2000):
            counts.add(1)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add_many, range(4)))
    assert counts.sums()[1] == 8000


def test_a_worker_that_is_alone_needs_no_file():
    assert new_file(1) is None


def test_without_its_file_a_worker_counts_alone(tmp_path: Path):
    counts = RequestCounts(tmp_path / "gone")
    counts.add(2)
    assert counts.sums()[2] == 1
