"""The form of a log line: JSON or text, with keys, and without the message of any exception."""

import json
import logging
import subprocess
import sys
from datetime import datetime
from typing import Any

import psycopg2.errors
import pytest

from application.log_lines import keys
from entrypoints.log_format import formatter, stack
from entrypoints.settings import LogForm

KEYS = ["task", "type", "attempt", "claim", "handler", "request", "trace"]
SECRET = "the password is tiger"
TASK = {"trace": "ab" * 16, "task": 7, "type": "fetch", "claim": 2, "attempt": 1, "handler": "me", "request": "r1"}


def line(form: LogForm, message: str = "it failed", error: BaseException | None = None, **values: Any) -> str:
    record = logging.LogRecord("any", logging.WARNING, "", 0, message, (), None)
    record.exc_info = (type(error), error, error.__traceback__) if error else None
    vars(record).update(keys(**values))
    return formatter("handler", form).format(record)


def fields(**more: Any) -> dict[str, Any]:
    return json.loads(line(LogForm.JSON, **more))


def raised(error: Exception) -> Exception:
    try:
        raise error from ValueError(SECRET)
    except Exception as found:
        return found


def test_a_json_line_has_its_fields_in_their_order():
    found = fields(**TASK)
    assert list(found) == ["time", "level", "process", "message", *KEYS]
    assert (found["level"], found["process"], found["message"]) == ("warning", "handler", "it failed")
    assert {name: found[name] for name in KEYS} == TASK
    assert datetime.fromisoformat(found["time"]).utcoffset() is not None


def test_a_text_line_has_its_keys_behind_the_sentence():
    assert line(LogForm.TEXT, task=7, type="fetch").endswith(" handler WARNING it failed  task=7 type=fetch")


@pytest.mark.parametrize("form", LogForm)
def test_a_line_lacks_the_keys_that_do_not_apply(form: LogForm):
    assert "task" not in line(form, task=None)


@pytest.mark.parametrize("form", LogForm)
@pytest.mark.parametrize("sign", ["\n", "\x1b", "\u2028", "\ud800"])
def test_neither_a_sentence_nor_a_value_begins_another_line(form: LogForm, sign: str):
    text = line(form, f"before{sign}after", type=f"before{sign}after")
    assert text.isprintable()


def test_a_json_line_survives_any_encoding():
    assert line(LogForm.JSON, "naïve 行星", type="\ud800").isascii()


@pytest.mark.parametrize("form", LogForm)
def test_a_stack_has_places_and_types_and_no_message(form: LogForm):
    text = line(form, error=raised(KeyError(SECRET)))
    assert "tiger" not in text
    assert "in raised" in text
    assert text.index("ValueError") < text.index("KeyError")


def test_a_stack_tells_the_code_of_a_database_error():
    class NotNull(psycopg2.errors.NotNullViolation):
        pgcode = "23502"

    assert stack(NotNull(SECRET)).endswith("NotNull (23502)\n")
    assert stack(FileNotFoundError(2, "No such file", SECRET)).endswith("FileNotFoundError (No such file)\n")


def test_a_long_line_is_whole_json():
    assert len(fields(message="行" * 100_000)["message"]) == 4_000


def output(code: str, form: str = "JSON") -> list[dict[str, Any]]:
    """The lines of a process that logs, and then does that."""
    start = (
        "import logging, sys, threading, warnings\n"
        "from entrypoints.settings import LogForm, LogSetting\n"
        "from entrypoints.startup import configure_logging\n"
        f"configure_logging('janitor', LogSetting(LogForm.{form}, logging.DEBUG))\n"
    )
    done = subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True)
    return [json.loads(each) for each in done.stderr.splitlines()]


def test_errors_that_nothing_catches_and_warnings_are_lines_without_messages():
    code = (
        "def fail(): raise ValueError('tiger')\n"
        "thread = threading.Thread(target=fail)\n"
        "thread.start()\n"
        "thread.join()\n"
        "logging.getLogger('httpcore').debug('tiger')\n"
        "logging.getLogger('entrypoints.http').debug('a request')\n"
        "fail()\n"
    )
    in_thread, debug, at_end = output(code)
    assert debug["message"] == "a request"
    for each in (in_thread, at_end):
        assert (each["level"], each["message"]) == ("critical", "an error was not caught")
        assert each["stack"].endswith("ValueError\n")
        assert "raise ValueError" in each["stack"] or "line" in each["stack"]


def test_the_count_of_dropped_lines_has_the_form_of_the_log():
    code = (
        "from entrypoints import log_streams\n"
        "log_streams.install()\n"
        "configure_logging('janitor', LogSetting(LogForm.JSON))\n"
        "sys.stderr._dropped = 7\n"
        "logging.getLogger('any').info('read again')\n"
    )
    notice, line = output(code)
    assert (notice["level"], notice["process"]) == ("warning", "janitor")
    assert notice["message"] == "7 log lines were dropped, since nothing read the log"
    assert line["message"] == "read again"
