"""The names of processes: whether the process of a name has ended, or its pid belongs to another one."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from adapters.processes import ProcProcesses
from adapters.processes.proc import name_of

processes = ProcProcesses()


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def named(process: "subprocess.Popen[bytes]") -> str:
    name = name_of(process.pid)
    assert name is not None
    return name


def test_this_process_has_not_ended():
    own = processes.own()
    assert own is not None
    assert not processes.has_ended(own)


def test_a_living_process_has_not_ended(process: "subprocess.Popen[bytes]"):
    assert not processes.has_ended(named(process))


def test_a_stopped_process_has_not_ended(process: "subprocess.Popen[bytes]"):
    process.send_signal(signal.SIGSTOP)
    assert not processes.has_ended(named(process))


def test_a_killed_process_has_ended_even_as_a_zombie(process: "subprocess.Popen[bytes]"):
    name = named(process)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert processes.has_ended(name)


def test_a_process_that_was_waited_for_has_ended(process: "subprocess.Popen[bytes]"):
    name = named(process)
    process.kill()
    process.wait()
    assert processes.has_ended(name)


def test_a_process_with_a_reused_pid_is_another_process(process: "subprocess.Popen[bytes]"):
    *host, start = named(process).split()
    assert processes.has_ended(" ".join([*host, str(int(start) - 1)]))


@pytest.mark.parametrize("part", [0, 1])
def test_a_process_of_another_host_has_not_certainly_ended(process: "subprocess.Popen[bytes]", part: int):
    parts = named(process).split()
    process.kill()
    process.wait()
    parts[part] = "elsewhere"
    assert not processes.has_ended(" ".join(parts))


@pytest.mark.parametrize("name", ["", "x", "a b c d e"])
def test_an_invalid_process_name_has_not_certainly_ended(name: str):
    assert not processes.has_ended(name)
