"""Log streams: lines that find no room are dropped and counted, and the count is said once the reader reads on."""

import os
from collections.abc import Iterator
from contextlib import suppress
from threading import active_count

import pytest

from entrypoints.log_streams import LogStream
from tests.concurrency import until

MAX_TEXTS = 3


class FullLog:
    """A stream into a pipe that is full. The thread of the stream waits to write its first line."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._filling = 0
        os.set_blocking(self._writer, False)
        with suppress(BlockingIOError):
            while True:
                self._filling += os.write(self._writer, b"." * 4096)
        os.set_blocking(self._writer, True)
        self.stream = LogStream(self._writer)
        self.stream.write("first\n")
        until(lambda: self.stream._waiting.empty())

    def read(self, count: int) -> list[str]:
        """Read so many lines, and the filling before them."""
        data = b""
        while data.count(b"\n") < count:
            data += os.read(self._reader, 65536)
        text, self._filling = data[self._filling :].decode(), 0
        return text.splitlines()

    def close(self) -> None:
        """Close the pipe once the stream writes no more."""
        os.close(self._reader)
        self.stream.drain()
        os.close(self._writer)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[FullLog]:
    monkeypatch.setattr("entrypoints.log_streams.MAX_WAITING_TEXTS", MAX_TEXTS)
    log = FullLog()
    yield log
    log.close()


def dropped(count: int) -> str:
    return f"{count} log lines were dropped, since nothing read the log"


def test_lines_that_find_no_room_are_counted_and_the_count_is_said_once_the_log_is_read(log: FullLog):
    for number in range(MAX_TEXTS + 4):
        log.stream.write(f"line {number}\n")
    kept = [f"line {number}" for number in range(MAX_TEXTS)]
    assert log.read(MAX_TEXTS + 2) == ["first", *kept, dropped(4)]


def test_each_line_of_a_dropped_text_is_counted(log: FullLog):
    for _ in range(MAX_TEXTS):
        log.stream.write("kept\n")
    log.stream.write("one\ntwo\nthree\n")
    log.stream.write("a part of a line")
    log.stream.flush()
    assert log.read(MAX_TEXTS + 2)[-1] == dropped(4)


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("utf-8", "é …".encode()), ("latin-1", b"\xe9 \\u2026"), ("ascii", b"\\xe9 \\u2026")],
)
def test_characters_that_the_encoding_of_the_output_lacks_are_escaped(encoding: str, written: bytes):
    reader, writer = os.pipe()
    stream = LogStream(writer, encoding)
    stream.write("é …\n")
    stream.drain()
    assert os.read(reader, 100) == written + b"\n"
    os.close(reader)
    os.close(writer)


def test_a_count_is_said_once(log: FullLog):
    for _ in range(MAX_TEXTS + 2):
        log.stream.write("line\n")
    assert log.read(MAX_TEXTS + 2)[-1] == dropped(2)
    log.stream.write("later\n")
    assert log.read(1) == ["later"]


def test_a_full_log_makes_no_caller_wait_and_queues_no_more_than_its_bound(log: FullLog):
    threads = active_count()
    for _ in range(10_000):
        log.stream.write("line\n")
    assert log.stream._waiting.qsize() == MAX_TEXTS
    assert active_count() == threads
