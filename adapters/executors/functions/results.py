"""Encode the result of a function as JSON text; json_form.py decides which values have a form."""

import sys
from collections.abc import Collection
from contextlib import suppress
from typing import cast

from adapters.executors.functions.json_form import MAX_RESULT_BYTES, Allowance, JsonForm, format_path, too_long
from application.json.limits import MAX_DEPTH
from application.json.text import dump

_SCALARS = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = frozenset({dict, list, tuple})
_STRINGS = frozenset({str})


def encode(value: object) -> str:
    """The result as it is stored. NaN and infinities become null, and the log of the task says so.

    Raises NoForm: a member has no JSON form, or the text is too long.
    """
    text = _encode_plain(value)
    if text is None:
        text = _encode_converted(value)
    if len(text) > MAX_RESULT_BYTES or len(text.encode()) > MAX_RESULT_BYTES:
        raise too_long()
    return text


def _encode_plain(value: object) -> str | None:
    """Encode at the speed of C a value that is made of JSON values alone; None for any other."""
    if type(value) not in _SCALARS and not _is_plain(value, MAX_DEPTH, Allowance()):
        return None
    try:
        text = dump(value)
        text.encode()
    except ValueError:  # NaN, an integer of too many digits, a lone surrogate
        return None
    return text


def _is_plain(container: object, depth: int, allowance: Allowance) -> bool:
    if depth == 0 or type(container) not in _CONTAINERS:
        return False
    members = cast(Collection[object], container)
    allowance.take(len(members))
    if isinstance(container, dict):
        if not {*map(type, container)} <= _STRINGS:
            return False
        members = container.values()
    if {*map(type, members)} <= _SCALARS:
        return True
    return all(type(each) in _SCALARS or _is_plain(each, depth - 1, allowance) for each in members)


def _encode_converted(value: object) -> str:
    conversion = JsonForm()
    text = dump(conversion.form(value))
    if conversion.nulls:
        paths = ", ".join(map(format_path, conversion.nulls[:5]))
        with suppress(Exception):  # the function may have closed standard error
            sys.stderr.write(f"null stands for NaN or infinity in the result at {paths}\n")
    return text
