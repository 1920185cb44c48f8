"""Examples of the documents: blocks of code, and the lines that they print."""

import re

from tests.conftest import ROOT

REST = "…"
"""The mark in a document for a part that differs each time."""


def blocks(page: str, language: str) -> list[str]:
    """The blocks of code of a language in a document."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def printed_lines(code: str, call: str, comment: str) -> list[str]:
    """The lines that an example prints, each as the comment behind the call."""
    return re.findall(rf"^ *{re.escape(call)}\(.*\);? *{comment} (.*)$", code, re.MULTILINE)


def is_printed(shown: str, said: str) -> bool:
    """Whether an example said what a document shows."""
    return re.fullmatch(re.escape(shown).replace(re.escape(REST), ".*"), said, re.DOTALL) is not None
