"""The filter of repetitions in a process's log."""

import logging
import subprocess
import sys

import pytest

from application.isolation import log_once
from entrypoints import repeat_filter
from entrypoints.repeat_filter import RepeatFilter

log = logging.getLogger(__name__)


def logged(process_log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in process_log.records]


def test_a_message_that_is_logged_once_is_not_repeated(process_log: pytest.LogCaptureFixture):
    for message in ("first", "second", "first", "second"):
        log_once(log, message)
        log.warning("always")
    assert logged(process_log) == ["first", "always", "second", "always", "always", "always"]


def test_two_processes_log_the_same_message_once_each():
    record = log.makeRecord(log.name, logging.WARNING, "", 0, "first", (), None, extra={"once": True})
    filters = RepeatFilter(), RepeatFilter()
    assert [each.filter(record) for _ in range(2) for each in filters] == [True, True, False, False]


def test_the_known_messages_are_bounded(process_log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repeat_filter, "MAX_MESSAGES_KNOWN", 2)
    for message in ("first", "second", "first", "third", "third", "first"):
        log_once(log, message)
    assert logged(process_log) == ["first", "second", "third", "first"]


def test_a_message_that_is_logged_once_has_the_stack_of_its_error(process_log: pytest.LogCaptureFixture):
    log_once(log, "first", ValueError("why"))
    assert "ValueError: why" in process_log.text


def test_a_process_logs_without_repetitions():
    code = (
        "import logging\n"
        "from application.isolation import log_once\n"
        "from entrypoints.startup import configure_logging\n"
        "configure_logging('janitor')\n"
        "for _ in range(3): log_once(logging.getLogger('any'), 'the row is odd')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("janitor WARNING the row is odd") == 1
