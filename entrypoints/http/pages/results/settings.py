"""Settings of a shown result: they stand in the address, so that a bookmark shows the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

INDEX = "#"
"""The x of a plot over the number of each point."""
MAX_ROW_DIGITS = 9
LOG_AXES = ("x", "y")


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of the reader.

    - `x`: the name of the series along the axis; None for the one that is found.
    - `y`: names of the series that are drawn; empty for the first ones.
    - `log`: axes that are logarithmic.
    - `sort`, `is_descending`: the field by which a table is sorted; None for the order of the result.
    - `row`: the number of the first row that a table shows.
    - `form`: "lines" or "heat" for a matrix; empty for the one that fits.
    """

    x: str | None = None
    y: Sequence[str] = ()
    log: frozenset[str] = frozenset()
    sort: str | None = None
    is_descending: bool = False
    row: int = 1
    form: str = ""


def settings_of(query: MultiDict[str, str]) -> Settings:
    """Read the settings of an address. A setting that means nothing is as if it was not given."""
    row = query.get("row", "")
    return Settings(
        x=query.get("x") or None,
        y=[name for name in query.getlist("y") if name],
        log=frozenset(query.getlist("log")) & {*LOG_AXES},
        sort=query.get("sort") or None,
        is_descending=query.get("order") == "down",
        row=max(int(row), 1) if row.isascii() and row.isdigit() and len(row) <= MAX_ROW_DIGITS else 1,
        form=query.get("as", ""),
    )
