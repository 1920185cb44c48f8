"""Names that a task author imports: the decorator records, and says what makes no sense."""

import subprocess
import sys
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from functools import partial, wraps
from typing import Any

import numpy as np
import pytest

import flask_tasks
from domain import limits, options
from domain.errors import InvalidOption
from flask_tasks import Discard, Progress, Retry, task
from flask_tasks.decorator import MARK, TaskOptions


def function() -> int:
    """Does nothing much."""
    return 5


def marked(**given: Any) -> TaskOptions:
    """The options that a function has been marked with."""

    def unmarked() -> None: ...

    return getattr(task(**given)(unmarked), MARK)


def test_a_marked_function_is_the_same_function() -> None:
    assert task(function) is function
    assert function() == 5


def test_without_options_nothing_is_asked_for() -> None:
    def plain() -> None: ...

    assert getattr(task(plain), MARK) == TaskOptions() == getattr(task()(plain), MARK)


def test_options_are_recorded() -> None:
    assert marked(name="a", timeout=2, max_attempts=3, max_losses=0, priority=-4, retry_on=(OSError, KeyError)) == (
        TaskOptions(name="a", timeout=2, max_attempts=3, max_losses=0, priority=-4, retry_on=(OSError, KeyError))
    )


def test_a_schedule_is_recorded_as_it_is() -> None:
    assert marked(every=" 0 7  * * 1-5", timezone="Europe/Lisbon") == (
        TaskOptions(every=" 0 7  * * 1-5", timezone="Europe/Lisbon")
    )


def test_limits_are_recorded() -> None:
    assert marked(at_once=4, per_second=10, burst=20) == TaskOptions(at_once=4, per_second=10, burst=20)
    assert marked(at_once=0).at_once == 0
    assert marked(lane="user", at_once_per_lane=2) == TaskOptions(lane="user", at_once_per_lane=2)


def test_one_exception_is_as_good_as_a_tuple_of_one() -> None:
    assert marked(retry_on=OSError).retry_on == (OSError,)
    assert marked(retry_on=()).retry_on == ()


def test_a_decorator_above_it_keeps_the_mark() -> None:
    def timed(inner):
        @wraps(inner)
        def outer():
            return inner()

        return outer

    assert getattr(timed(task(function)), MARK) == TaskOptions()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"timeout": 0}, ValueError, "timeout is 0: it must be a number of seconds, more than 0 and at most 315360000"),
        ({"timeout": float("nan")}, ValueError, "timeout is nan: "),
        ({"timeout": "60"}, TypeError, "timeout is '60': it must be a number of seconds"),
        ({"timeout": True}, TypeError, "timeout is True: it must be a number of seconds"),
        ({"max_attempts": 0}, ValueError, "max_attempts is 0: it must be a whole number from 1 to 10000"),
        ({"max_attempts": 2.0}, TypeError, "max_attempts is 2.0: it must be a whole number"),
        ({"max_losses": -1}, ValueError, "max_losses is -1: it must be a whole number from 0 to 10000"),
        ({"priority": 101}, ValueError, "priority is 101: it must be a whole number from -100 to 100"),
        ({"priority": True}, TypeError, "priority is True: it must be a whole number"),
        ({"name": ""}, ValueError, "name is '': it must be 1 to 100 letters, digits, '_', '-' and '.'"),
        ({"name": "a/b"}, ValueError, "name is 'a/b': "),
        ({"name": 5}, TypeError, "name is 5: it must be a string"),
        ({"retry_on": "OSError"}, TypeError, "retry_on is 'OSError': it must be exception classes"),
        ({"retry_on": (int,)}, TypeError, "retry_on has <class 'int'>: it must be exception classes"),
        ({"every": 5}, TypeError, "every is 5: it must be a string"),
        ({"every": "* * * *"}, ValueError, "every is '* * * *': it must be five fields: minute, hour, day of month, "),
        ({"every": "* * * * * *"}, ValueError, "every is '* * * * * *': it must be five fields"),
        ({"every": ""}, ValueError, "every is '': it must be five fields"),
        ({"every": "* * * * *", "timezone": 1}, TypeError, "timezone is 1: it must be a string"),
        ({"timezone": "UTC"}, ValueError, "timezone is 'UTC': it must be absent where every is absent"),
        ({"callback": 5}, TypeError, "callback is 5: it must be a string"),
        ({"callback": "ftp://a"}, ValueError, "callback is 'ftp://a': it must be an http or https address with a host"),
        ({"at_once": -1}, ValueError, "at_once is -1: it must be a whole number from 0 to 1000000"),
        ({"at_once": 2.0}, TypeError, "at_once is 2.0: it must be a whole number"),
        ({"at_once": True}, TypeError, "at_once is True: it must be a whole number"),
        ({"per_second": 0}, ValueError, "per_second is 0: it must be a number from 1e-06 to 100000"),
        ({"per_second": float("nan")}, ValueError, "per_second is nan: it must be a number from"),
        ({"per_second": float("inf")}, ValueError, "per_second is inf: it must be a number from"),
        ({"per_second": 10**400}, ValueError, "it must be a number from 1e-06 to 100000"),
        ({"per_second": "10"}, TypeError, "per_second is '10': it must be a number"),
        ({"per_second": True}, TypeError, "per_second is True: it must be a number"),
        ({"per_second": 1, "burst": 0}, ValueError, "burst is 0: it must be a whole number from 1 to 1000000"),
        ({"burst": 5}, ValueError, "burst is 5: it must be absent where per_second is absent"),
        ({"at_once_per_lane": 5}, ValueError, "at_once_per_lane is 5: it must be absent where lane is absent"),
        ({"lane": "a", "at_once_per_lane": 0}, ValueError, "at_once_per_lane is 0: it must be a whole number from 1"),
        ({"lane": 7}, TypeError, "lane is 7: it must be a string"),
        ({"lane": ""}, ValueError, "lane is '': it must be the name of an argument"),
        ({"retries": 3}, TypeError, "unexpected keyword argument 'retries'"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_at_once(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        task(**given)
    assert message in str(raised.value)


@pytest.mark.parametrize("what", ["name", 5, None, int, partial(function)])
def test_a_value_that_is_no_function_cannot_be_marked(what: Any) -> None:
    with pytest.raises(TypeError, match="it must mark a function"):
        task()(what)


def test_a_function_without_a_proper_name_needs_one() -> None:
    with pytest.raises(ValueError, match="name is '<lambda>'"):
        task(lambda: None)
    task(name="proper")(lambda: None)


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("priority", [-101, -100, 100, 101]),
        ("max_attempts", [0, 1, 10_000, 10_001]),
        ("max_losses", [-1, 0, 10_000, 10_001]),
        ("timeout", [0, 1e-9, 10 * 365 * 86_400, 10 * 365 * 86_400 + 1, float("inf")]),
    ],
)
def test_its_limits_are_those_of_the_service(option: str, values: list[Any]) -> None:
    for value in values:
        assert is_allowed(TaskOptions, {option: value}) == is_allowed(options.Options, {option: value})


@pytest.mark.parametrize(
    ("limit", "values"),
    [
        ("at_once", [-1, 0, 1_000_000, 1_000_001]),
        ("per_second", [0, 9e-7, 1e-6, 1, 1e5, 100_001, float("inf"), float("nan"), 10**400]),
        ("burst", [0, 1, 1_000_000, 1_000_001]),
    ],
)
def test_the_bounds_of_its_limits_are_those_of_the_service(limit: str, values: list[Any]) -> None:
    for value in values:
        given = {"per_second": 1, limit: value}
        assert is_allowed(TaskOptions, given) == is_allowed(limits.Limits, given)


def test_the_decorator_knows_every_option_of_the_service() -> None:
    assert {each.name for each in fields(TaskOptions)} == {
        *options.OPTION_NAMES,
        *limits.DECLARABLE,
        "name",
        "retry_on",
        "every",
        "timezone",
    }


def is_allowed(make: Any, given: dict[str, Any]) -> bool:
    try:
        make(**given)
    except (ValueError, InvalidOption):
        return False
    return True


# Retry, Discard, Progress


def test_a_retry_says_when() -> None:
    assert Retry(delay=30).delay == 30
    assert Retry().delay is None
    assert str(Retry("busy", delay=0)) == "busy"


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf")])
def test_a_delay_that_makes_no_sense_is_refused(delay: float) -> None:
    with pytest.raises(ValueError, match="it must be a number of seconds, from 0 to 315360000"):
        Retry(delay=delay)


def test_a_delay_is_given_by_name() -> None:
    with pytest.raises(TypeError, match=r"Retry\(delay=30\)"):
        Retry(30)  # type: ignore[arg-type]


def test_a_discard_says_why() -> None:
    assert str(Discard("why")) == "why"


def test_a_progress_is_good_for_a_test_of_ones_own() -> None:
    progress = Progress()
    progress(0.5, "half")
    assert (progress.task_id, progress.attempt, progress.cancelled) == (0, 1, False)


def test_a_progress_tells_whoever_listens() -> None:
    told: list[Any] = []
    progress = Progress(7, 2, lambda *what: told.append(what), lambda: True)
    progress(1, "done")
    progress(0)
    assert told == [(1.0, "done"), (0.0, "")]
    assert (progress.task_id, progress.attempt, progress.cancelled) == (7, 2, True)


class Wordless:
    """Has neither a text nor a number."""

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __float__ = __repr__


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *[(1.0000000000000002, 1.0), (1.1, 1.0), (float("inf"), 1.0), (-0.1, 0.0), (float("-inf"), 0.0)],
        *[(float("nan"), 0.5), (10**400, 0.5), ("half", 0.5), (None, 0.5), ([], 0.5)],
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_progress_that_is_no_share_is_shown_as_the_nearest_one_and_logged_once(
    value: Any, shown: float, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[Any] = []
    progress = Progress(report=lambda *what: told.append(what))
    progress(0.5)
    assert capsys.readouterr().err == ""
    progress(value, "on")
    progress(2.0)
    assert told == [(0.5, ""), (shown, "on"), (1.0, "")]
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"progress is a share from 0 to 1: {shown} is shown instead of {repr(value)[:100]}"


@pytest.mark.parametrize("value", [1, True, np.float32(0.5), Decimal("0.5"), Fraction(1, 2), 0.0])
def test_a_progress_is_any_number_that_is_a_share(value: Any, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Any] = []
    Progress(report=lambda *what: told.append(what))(value)
    assert told == [(float(value), "")]
    assert capsys.readouterr().err == ""


def test_a_long_message_of_progress_is_cut_and_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Any] = []
    progress = Progress(report=lambda *what: told.append(what))
    for _ in range(2):
        progress(0.5, "x" * 1_000_000)
    assert told == 2 * [(0.5, "x" * 999 + "…")]
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_progress_ends_no_function_whatever_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def report(value: float, message: str) -> None:
        raise OSError

    wordless: Any = Wordless()
    Progress()(0.5, wordless)
    Progress()(wordless)
    Progress(report=report)(0.5)
    monkeypatch.setattr("sys.stderr", None)
    Progress(report=report)(2)


def test_nothing_but_the_standard_library_is_imported() -> None:
    code = (
        "import sys, flask_tasks\n"
        "names = {each.partition('.')[0] for each in sys.modules} - sys.stdlib_module_names - {'flask_tasks'}\n"
        "sys.exit(', '.join(each for each in names if not each.startswith('_')) or 0)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_these_names_are_public() -> None:
    of_functions = {"task", "Progress", "Retry", "Discard"}
    of_clients = {"Client", "ClientError", "TaskFailed", "reference"}
    assert set(flask_tasks.__all__) == of_functions | of_clients


@pytest.mark.parametrize("delay", ["1", True, 1j, [1]])
def test_a_delay_that_is_no_number_is_refused(delay: Any) -> None:
    with pytest.raises(TypeError, match="it must be a number of seconds, from 0 to 315360000"):
        Retry(delay=delay)
