"""A result as a page shows it: by its shape, with the settings of the address."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from entrypoints.http.pages.addresses import Addresses
from entrypoints.http.pages.results.heat import columns_of, fits_lines, heat_map, is_long
from entrypoints.http.pages.results.lines import draw_lines
from entrypoints.http.pages.results.settings import Settings, settings_of
from entrypoints.http.pages.results.shape_of import shape_of
from entrypoints.http.pages.results.shapes import (
    Column,
    Lines,
    Matrix,
    Picture,
    Place,
    Scalars,
    Shape,
    Table,
    Text,
)
from entrypoints.http.pages.results.tables import cell_of, markup_bytes, numbers_page, objects_page

MAX_RAW_BYTES = 10_000
MAX_TEXT_BYTES = 60_000
MAX_PAGE_SCALARS = 200
Query = MultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text, and the number of characters of the whole."""

    text: str
    characters: int

    @property
    def is_cut(self) -> bool:
        """Whether the text ends too early."""
        return len(self.text) < self.characters


@dataclass(frozen=True, slots=True)
class ShownResult:
    """A result. `kind`: lines, heat, table, scalars, picture, text or tree; `parts`: what is shown of that kind."""

    kind: str
    settings: Settings
    raw: Excerpt
    parts: Mapping[str, Any]

    @property
    def has_csv(self) -> bool:
        """Whether the result can be had as CSV."""
        return self.kind in ("lines", "heat", "table", "scalars")


def show(text: str, settings: Settings) -> ShownResult:
    """Show a JSON text by its shape."""
    kind, parts = _parts(text, shape_of(text), settings)
    return ShownResult(kind, settings, excerpt(text, MAX_RAW_BYTES), parts)


def excerpt(text: str, max_bytes: int) -> Excerpt:
    """The beginning of a text that takes so many bytes of a page at most."""
    part = text[:max_bytes]
    while (size := markup_bytes(part)) > max_bytes:
        part = part[: len(part) * max_bytes // size]
    return Excerpt(part, len(text))


class ResultGlobals:
    """Functions of templates that show the result of a task on the page of the present request."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    def names(self) -> Mapping[str, Callable[..., Any]]:
        """The functions by the names that templates call them by."""
        return {"shown_result": self._shown, "with_settings": self._address, "other_settings": self._others}

    def _shown(self, text: str) -> ShownResult:
        return show(text, settings_of(request.args))

    def _address(self, **changes: str | list[str] | None) -> str:
        """The address of this page with other settings; a setting that is None is left out."""
        query = dict(request.args.lists()) | {"as" if name == "form" else name: changes[name] for name in changes}
        return f"{self._addresses.of(request.path, query)}#result"

    def _others(self, *names: str) -> Iterator[tuple[str, str]]:
        """The parameters of this page but for some, which a form sends along."""
        return ((name, value) for name, value in request.args.items(multi=True) if name not in names)


def _parts(text: str, shape: Shape, settings: Settings) -> tuple[str, Mapping[str, Any]]:
    match shape:
        case Lines():
            scalars = [(part.name, cell_of(text, part)) for part in shape.scalars[:MAX_PAGE_SCALARS]]
            return "lines", {**_lines(text, shape.columns, shape.places, settings), "scalars": scalars}
        case Matrix():
            return _matrix(text, shape, settings)
        case Table():
            page = objects_page(text, shape, settings.row, settings.sort, settings.is_descending)
            return "table", {"page": page}
        case Scalars():
            cells = [(part.name, cell_of(text, part)) for part in shape.members[:MAX_PAGE_SCALARS]]
            return "scalars", {"scalars": cells, "total": len(shape.members)}
        case Picture():
            return "picture", {"picture": shape}
        case Text():
            return "text", {"excerpt": excerpt(shape.text, MAX_TEXT_BYTES)}
    return "tree", {}


def _lines(text: str, columns: Sequence[Column], places: Sequence[Place], settings: Settings) -> dict[str, Any]:
    names = [column.name for column in columns]
    return {
        "names": names,
        "drawn": draw_lines(columns, settings),
        "page": numbers_page(text, names, places, settings.row, len(columns[0].values)),
    }


def _matrix(text: str, matrix: Matrix, settings: Settings) -> tuple[str, Mapping[str, Any]]:
    """A matrix as a heat map or as lines, whichever was asked for; else the one that is read better."""
    choice = {"fits_lines": fits_lines(matrix)}
    if fits_lines(matrix) and (settings.form == "lines" or (is_long(matrix) and settings.form != "heat")):
        return "lines", {**_lines(text, columns_of(matrix), [matrix.place], settings), "scalars": [], **choice}
    names = [str(number) for number in range(1, matrix.width + 1)]
    page = numbers_page(text, names, [matrix.place], settings.row, len(matrix.rows))
    return "heat", {"heat": heat_map(matrix), "page": page, **choice}
