"""Heat maps of results: a matrix of few enough cells for a page."""

from array import array
from dataclasses import dataclass
from typing import Any

from entrypoints.http.pages.results.shapes import Column, Matrix
from entrypoints.http.pages.results.thinning import Rows, blocks, rounded

MAX_CELLS = 8_000
"""Cells that a heat map has at most: they are about 60 kB."""
CELL_DIGITS = 4
LINES_ASPECT = 8
"""A matrix with so many times more rows than columns is read better as lines, one for each column."""
MAX_LINES = 16


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Cells of a matrix, each the mean of a block of cells if there are too many; and the size of the whole."""

    cells: Rows
    height: int
    width: int

    @property
    def is_thinned(self) -> bool:
        """Whether cells are means of blocks."""
        return len(self.cells) < self.height or len(self.cells[0]) < self.width

    @property
    def spec(self) -> dict[str, Any]:
        """The JSON of the figure, which `static/heat.js` reads."""
        return {"cells": self.cells, "height": self.height, "width": self.width}


def heat_map(matrix: Matrix) -> HeatMap:
    """The heat map of a matrix."""
    cells = blocks(matrix.rows, MAX_CELLS)
    flat = rounded([cell for row in cells for cell in row], digits=CELL_DIGITS)
    width = len(cells[0])
    rows = [flat[at : at + width] for at in range(0, len(flat), width)]
    return HeatMap(rows, len(matrix.rows), matrix.width)


def fits_lines(matrix: Matrix) -> bool:
    """Whether the columns of a matrix may be drawn as lines."""
    return matrix.width <= MAX_LINES and len(matrix.rows) > 1


def is_long(matrix: Matrix) -> bool:
    """Whether a matrix is read better as lines."""
    return fits_lines(matrix) and len(matrix.rows) >= LINES_ASPECT * matrix.width


def columns_of(matrix: Matrix) -> list[Column]:
    """The columns of a matrix as series."""
    return [Column(f"[{at}]", array("d", (row[at] for row in matrix.rows))) for at in range(matrix.width)]
