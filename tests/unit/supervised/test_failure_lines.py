"""The handler's log has one line for each failed attempt and each loss."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from application.log_lines import KEYS_OF_RECORD
from application.ports.executor import Event, Failed, Interrupted, Started, Succeeded
from domain.failure import Failure
from domain.ids import Hold
from tests.steps import add, submission
from tests.unit.supervised.test_step import SLOW, Bench, bench

__all__ = ["bench"]

End = Callable[[Hold], Event]
BOOM = Failure("ValueError", "no such planet")


def failure_lines(bench: Bench, caplog: pytest.LogCaptureFixture, end: End, **options: Any) -> list[str]:
    """The warnings after the run of a task ended so."""
    add(bench.storage, submission(SLOW, now=bench.clock.now(), **options))
    bench.step()
    bench.step()
    (hold,) = bench.executor.running
    bench.executor.next_events += [Started(hold, bench.clock.monotonic()), end(hold)]
    bench.executor.running.clear()
    bench.step()
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


def test_an_attempt_that_failed_for_good_has_a_line(bench: Bench, caplog: pytest.LogCaptureFixture):
    lines = failure_lines(bench, caplog, lambda hold: Failed(hold, BOOM))
    assert lines == ["task 1 (slow) failed in attempt 1 of 1: ValueError"]


def test_an_attempt_that_is_tried_again_has_a_line(bench: Bench, caplog: pytest.LogCaptureFixture):
    lines = failure_lines(bench, caplog, lambda hold: Failed(hold, BOOM), max_attempts=3)
    assert lines == ["task 1 (slow) failed in attempt 1 of 3, and waits for another start: ValueError"]


def test_a_loss_has_a_line(bench: Bench, caplog: pytest.LogCaptureFixture):
    lines = failure_lines(bench, caplog, Interrupted)
    assert lines == ["task 1 (slow) was lost, and waits for another start: handler me was lost"]


@pytest.mark.parametrize("printed", ["", "a line"])
def test_a_success_has_no_line(bench: Bench, caplog: pytest.LogCaptureFixture, printed: str):
    assert failure_lines(bench, caplog, lambda hold: Succeeded(hold, "1", printed)) == []


@pytest.mark.parametrize("type", ["ValueError", "TimeoutError", "the password\nis tiger"])
def test_neither_what_a_function_printed_nor_the_message_of_its_exception_is_in_a_line(
    bench: Bench, caplog: pytest.LogCaptureFixture, type: str
):
    secret = Failure(type, "no: the password is tiger", traceback="Traceback: the password is tiger")
    (line,) = failure_lines(bench, caplog, lambda hold: Failed(hold, secret, "the password is tiger"))
    assert "the password is tiger" not in line
    assert "\n" not in line


@pytest.mark.parametrize("type", ["Crashed", "OutOfMemory", "TimeoutError"])
def test_a_failure_that_the_handler_words_is_in_its_line(bench: Bench, caplog: pytest.LogCaptureFixture, type: str):
    (line,) = failure_lines(bench, caplog, lambda hold: Failed(hold, Failure(type, "it took\nlong")))
    assert line == f"task 1 (slow) failed in attempt 1 of 1: {type}: it took\\nlong"


@pytest.mark.parametrize("end", [lambda hold: Failed(hold, BOOM), Interrupted])
def test_a_line_has_the_keys_of_its_start(bench: Bench, caplog: pytest.LogCaptureFixture, end: End):
    failure_lines(bench, caplog, end)
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert getattr(record, KEYS_OF_RECORD) == {"task": 1, "type": "slow", "attempt": 1, "claim": 1, "handler": "me"}
