"""The schedule of a function, checked before it is published."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.executors.functions.function import Function
from adapters.executors.functions.schedules import schedule
from domain.ids import TypeName
from domain.schedule import Schedule
from flask_tasks.decorator import TaskOptions


def function(every: str, call: Callable[..., Any] = lambda: None) -> Function:
    return Function(TypeName("f"), call, TaskOptions(every=every))


@pytest.mark.parametrize(
    ("every", "part", "values"),
    [
        ("*/90 * * * *", "*/90", 60),
        ("0,*/61 * * * *", "*/61", 60),
        ("5/56 * * * *", "5/56", 55),
        ("0 */25 * * *", "*/25", 24),
        ("0 9-17/10 * * *", "9-17/10", 9),
        ("0 0 */32 * *", "*/32", 31),
        ("0 0 L/2 * *", "L/2", 1),
        ("0 0 LW/2 * *", "LW/2", 1),
        ("0 0 1 */13 *", "*/13", 12),
        ("0 0 1 jan-mar/4 *", "JAN-MAR/4", 3),
        ("0 0 * * */8", "*/8", 7),
        ("0 0 * * 1-5/9", "1-5/9", 5),
    ],
)
def test_a_step_that_is_larger_than_its_range_is_refused(every: str, part: str, values: int):
    with pytest.raises(ValueError, match="every is") as refusal:
        schedule(function(every))
    sentence = f"every is {every!r}: the step of {part} is larger than its range of {values} values"
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    "every",
    ["*/60 * * * *", "5/55 * * * *", "0 */24 * * *", "0 0 */31 * *", "0 0 * * */7", "0 0 * * 1-5/5", "0 0 L * MON#2"],
)
def test_a_step_as_large_as_its_range_is_taken(every: str):
    assert schedule(function(every)) == Schedule(every=every)


@pytest.mark.parametrize(
    ("every", "field"),
    [
        ("*/0 * * * *", "minute"),
        ("*/ * * * *", "minute"),
        ("*/-5 * * * *", "minute"),
        ("60 * * * *", "minute"),
        ("0 22-2 * * *", "hour"),
        ("0 0 0 * *", "day-of-month"),
        ("0 0 L-3 * *", "day-of-month"),
        ("0 0 * FOO *", "month"),
        ("0 0 * * FRI-MON", "day-of-week"),
        ("0 0 * * 5L/2", "day-of-week"),
        ("0 0 * * MON#2/2", "day-of-week"),
    ],
)
def test_a_field_without_a_meaning_is_refused_by_its_name(every: str, field: str):
    with pytest.raises(ValueError, match="every is") as refusal:
        schedule(function(every))
    assert str(refusal.value) == f"every is {every!r}: bad {field}"
