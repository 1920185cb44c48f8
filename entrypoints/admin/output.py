"""What the commands print: tables for a terminal, JSON for programs."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from unicodedata import combining, east_asian_width

import click

from application.diagnosis.wording import duration

GAP = "  "
NOTHING = "-"
"""A cell of which there is nothing to say."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table. On a terminal, lines end at its edge."""
    edge = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table_lines(header, rows):
        click.echo(line if edge is None else _cut(line, edge))


def table_lines(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """The lines of a table with aligned columns. Characters that a terminal would act on are shown as escapes."""
    cells = [list(header), *([printable(NOTHING if cell in (None, "") else str(cell)) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        yield GAP.join(padded).rstrip()


def printable(text: str) -> str:
    """The text with escapes in place of characters that have no sign, or that turn the order of others."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def moment(time: datetime | None) -> str | None:
    """Format a time in UTC, as the filters take it."""
    return None if time is None else f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def ago(time: datetime | None, now: datetime) -> str | None:
    """Format the time that has passed since then."""
    return None if time is None else f"{duration((now - time).total_seconds())} ago"


def _width(text: str) -> int:
    """The columns that a text takes on a terminal."""
    return sum(map(_columns, text)) if not text.isascii() else len(text)


def _columns(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _cut(line: str, columns: int) -> str:
    if _width(line) <= columns:
        return line
    fits = sum(width < columns for width in accumulate(map(_columns, line)))
    return f"{line[:fits]}…"
