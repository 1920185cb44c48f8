"""Encode the result of a function as JSON text; flask_tasks/json_form.py decides which values have a form."""

import sys
from contextlib import suppress

from flask_tasks.json_form import NoForm, encode_converted, encode_plain, nulls_sentence

MAX_RESULT_BYTES = 16 * 1024 * 1024
"""Bytes of a result as JSON text."""


def encode(value: object) -> str:
    """The result as it is stored. Missing values become null, and the log of the task says so.

    Raises NoForm: a member has no JSON form, or the text is too long.
    """
    text = encode_plain(value)
    if text is None:
        text = _encode_converted(value)
    if len(text) > MAX_RESULT_BYTES or len(text.encode()) > MAX_RESULT_BYTES:
        raise NoForm((), f"is longer than {MAX_RESULT_BYTES:,} bytes as JSON")
    return text


def _encode_converted(value: object) -> str:
    text, nulls = encode_converted(value)
    if nulls:
        with suppress(Exception):  # the function may have closed standard error
            sys.stderr.write(f"{nulls_sentence(nulls, 'the result')}\n")
    return text
