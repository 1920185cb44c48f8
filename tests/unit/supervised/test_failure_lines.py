"""The handler's log has one line for each failed attempt and each loss."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

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
    assert lines == ["task 1 (slow) failed in attempt 1 of 1: ValueError: no such planet"]


def test_an_attempt_that_is_tried_again_has_a_line(bench: Bench, caplog: pytest.LogCaptureFixture):
    lines = failure_lines(bench, caplog, lambda hold: Failed(hold, BOOM), max_attempts=3)
    assert lines == ["task 1 (slow) failed in attempt 1 of 3, and waits for another start: ValueError: no such planet"]


def test_a_loss_has_a_line(bench: Bench, caplog: pytest.LogCaptureFixture):
    lines = failure_lines(bench, caplog, Interrupted)
    assert lines == ["task 1 (slow) was lost, and waits for another start: handler me was lost"]


@pytest.mark.parametrize("printed", ["", "a line"])
def test_a_success_has_no_line(bench: Bench, caplog: pytest.LogCaptureFixture, printed: str):
    assert failure_lines(bench, caplog, lambda hold: Succeeded(hold, "1", printed)) == []


def test_what_a_function_printed_is_in_no_line(bench: Bench, caplog: pytest.LogCaptureFixture):
    secret = Failure("ValueError", "no", traceback="Traceback: the password is tiger")
    (line,) = failure_lines(bench, caplog, lambda hold: Failed(hold, secret, "the password is tiger"))
    assert "tiger" not in line


def test_an_error_of_several_lines_is_one_line(bench: Bench, caplog: pytest.LogCaptureFixture):
    forged = Failure("ValueError", "no\n2026-01-01T00:00:00+00:00 handler INFO stopped" + "x" * 10_000)
    (line,) = failure_lines(bench, caplog, lambda hold: Failed(hold, forged))
    assert "\n" not in line
    assert len(line) < 500
