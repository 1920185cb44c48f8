"""The log pipe: it is full while nothing reads it, and loses nothing."""

import os
from pathlib import Path

import pytest

from tests.chaos.log_pipe import LogPipe
from tests.e2e.service import eventually


def test_a_pipe_that_nothing_reads_is_full_until_it_is_read_on(tmp_path: Path):
    pipe = LogPipe(tmp_path / "a.log")
    pipe.stop_reading()
    os.set_blocking(pipe.input, False)
    with pytest.raises(BlockingIOError):
        for _ in range(3):  # the reader may take one chunk before it stops
            os.write(pipe.input, b"x" * 8192)
            os.write(pipe.input, b"x" * 8192)
    pipe.read_on()
    os.set_blocking(pipe.input, True)
    os.write(pipe.input, b"the end")
    pipe.close_input()
    eventually(lambda: b"the end" in (tmp_path / "a.log").read_bytes())
