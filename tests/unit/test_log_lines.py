"""Log lines on single tasks, and the time of all log lines."""

import os
import re
import subprocess
import sys
from datetime import datetime

import pytest

from application.log_lines import MAX_CHARACTERS, named, one_line
from domain.ids import TaskId, TypeName


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b", "\x85", "\u2028", "\u202e", "\0", "\ud800"])
def test_a_line_has_nothing_that_looks_like_another_line(sign: str):
    line = one_line(f"before{sign}2026-01-01 handler INFO forged")
    assert line.isprintable()
    assert line.encode()


def test_a_line_keeps_the_letters_of_all_languages():
    assert one_line("naïve 行星 Ω") == "naïve 行星 Ω"


@pytest.mark.parametrize("text", ["x" * 10_000, "\n" * 10_000, "x" * MAX_CHARACTERS + "y"])
def test_a_line_is_bounded(text: str):
    assert len(one_line(text)) == MAX_CHARACTERS
    assert one_line(text).endswith("…")


def test_the_name_of_a_task_is_its_id_and_its_type():
    assert named(TaskId(7), TypeName("fetch")) == "task 7 (fetch)"
    assert named(TaskId(7), TypeName("fetch\nforged")) == r"task 7 (fetch\nforged)"


@pytest.mark.parametrize(("zone", "offset"), [("Asia/Kolkata", "+05:30"), ("UTC", "+00:00")])
def test_the_time_of_a_log_line_has_its_zone(zone: str, offset: str):
    code = (
        "import logging\n"
        "from entrypoints.startup import configure_logging\n"
        "configure_logging('janitor')\n"
        "logging.getLogger('any').warning('here')\n"
    )
    command = [sys.executable, "-c", code]
    environment = os.environ | {"TZ": zone}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found = re.fullmatch(r"(\S+) janitor WARNING here\n", done.stderr)
    assert found
    time = datetime.fromisoformat(found[1])
    assert abs((datetime.now().astimezone() - time).total_seconds()) < 60
    assert found[1].endswith(offset)
