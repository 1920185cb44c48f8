"""The values of a swept field, as a person types them: `1,2,5`, `0..1 step 0.1`, `1e-3..1 log 7`, or one a line."""

import re
from collections.abc import Iterator
from decimal import (
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)

from entrypoints.http.pages.forms.kinds import Kind, Number
from entrypoints.http.pages.forms.pieces import NUMBER

MAX_VALUES = 10_000
"""Values of one field, and tasks of one sweep: a batch takes no more at once."""
MAX_COUNT_DIGITS = 12
MAX_WHOLE_DIGITS = 1_000
"""Digits of a whole number of a range: a short text may name thousands of numbers with a million digits each."""
MIN_PLAIN_EXPONENT, MAX_PLAIN_EXPONENT = -7, 16
"""Decimals between these powers of ten are written without an exponent."""
_RANGE = re.compile(
    rf"(?P<first>{NUMBER.pattern})\s*\.\.\s*(?P<last>{NUMBER.pattern})"
    rf"(\s+step\s+(?P<step>{NUMBER.pattern})|\s+log\s+(?P<log>[0-9]+))?"
)
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])
_PRECISE = Context(prec=40, traps=[InvalidOperation, Overflow, DivisionByZero])
"""More than twice as many digits as a double has."""


class NotSwept(ValueError):
    """A text names no values. Its message says why, as the end of a sentence that begins with the field."""


def several_numbers(text: str, kind: Number) -> list[str] | None:
    """The JSON texts of the numbers that a text names; None if it is no sweep. Raises NotSwept."""
    text = text.strip()
    if "," not in text and ".." not in text:
        return None
    items, values = text.split(",", MAX_VALUES), list[str]()
    for item in items if len(items) <= MAX_VALUES else ():
        values += _item(item.strip(), kind)
        if len(values) > MAX_VALUES:
            break
    if not 0 < len(values) <= MAX_VALUES:
        raise NotSwept(_too_many())
    return values


def several_lines(text: str, kind: Kind) -> list[str]:
    """The JSON texts of the values of a text, one a line. Raises NotSwept."""
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if kind.normal(line)]
    if len(lines) > MAX_VALUES:
        raise NotSwept(_too_many(len(lines)))
    return [kind.read(line) for line in lines]


def _too_many(count: int | None = None) -> str:
    """The end of a sentence about more values than there may be; None where they were not counted."""
    is_short = count is not None and count < 10**MAX_COUNT_DIGITS
    return f"has {f'{count:,}' if is_short else f'more than {MAX_VALUES:,}'} values: {MAX_VALUES:,} are the most"


def _item(item: str, kind: Number) -> list[str]:
    if not item:
        raise NotSwept("has a comma too many: a value is missing")
    if found := _RANGE.fullmatch(item):
        try:
            return [*_values(found, kind.is_whole)]
        except DecimalException:
            # Its numbers are too far apart for 200 digits.
            raise NotSwept(_too_many()) from None
    if not NUMBER.fullmatch(item) and item not in kind.suggestions:
        raise NotSwept(f"{item[:40]} is no number, and no range")
    return [kind.read(item)]


def _values(range: re.Match[str], is_whole: bool) -> Iterator[str]:
    with localcontext(_EXACT) as exact:
        first, last = exact.create_decimal(range["first"]), exact.create_decimal(range["last"])
        if range["log"] is None:
            values = _stepped(first, last, exact.create_decimal(range["step"] or 1))
            return map(_whole if is_whole else _written, values)
    between = _logarithmic(first, last, int(range["log"][: MAX_COUNT_DIGITS + 1]))
    if is_whole:
        return _distinct([first, *between, last])
    return iter([range["first"], *(repr(float(each)) for each in between), range["last"]])


def _stepped(first: Decimal, last: Decimal, step: Decimal) -> list[Decimal]:
    if not step:
        raise NotSwept("has no end: the step is 0")
    if (last < first) != (step < 0) and last != first:
        raise NotSwept("has no values: the step leads away from the end")
    count = int((last - first) // step) + 1
    if count > MAX_VALUES:
        raise NotSwept(_too_many(count))
    return [first + step * nth for nth in range(count)]


def _logarithmic(first: Decimal, last: Decimal, count: int) -> list[Decimal]:
    """The values between the ends, `count` with these, whose quotients are equal."""
    if first * last <= 0:
        raise NotSwept("needs ends that are both above zero, or both below it")
    if first == last:
        raise NotSwept("has one value: the ends are the same")
    if count < 2:
        raise NotSwept("has both ends, so it needs two values or more")
    if count > MAX_VALUES:
        raise NotSwept(_too_many(count))
    if any(float(each) in (0, float("inf"), float("-inf")) for each in (first, last)):
        raise NotSwept("has an end that is beyond what a number can be")
    with localcontext(_PRECISE):
        quotient = (last / first).ln()
        return [first * (quotient * nth / (count - 1)).exp() for nth in range(1, count - 1)]


def _written(value: Decimal) -> str:
    is_plain = MIN_PLAIN_EXPONENT < value.adjusted() < MAX_PLAIN_EXPONENT
    return f"{value:f}" if is_plain else str(value).lower()


def _whole(value: Decimal) -> str:
    if value.adjusted() >= MAX_WHOLE_DIGITS:
        raise NotSwept(f"has a number of more than {MAX_WHOLE_DIGITS:,} digits")
    if value != value.to_integral_value():
        raise NotSwept(f"{value} is no whole number")
    return f"{value:.0f}"


def _distinct(values: list[Decimal]) -> Iterator[str]:
    """The whole numbers that are next to the values, each once."""
    ends = [_whole(values[0]), *(f"{value:.0f}" for value in values[1:-1]), _whole(values[-1])]
    if len({*ends}) < len(ends):
        raise NotSwept(f"has fewer than {len(ends)} whole numbers between its ends")
    return iter(ends)
