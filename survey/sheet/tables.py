"""What a table of the sheet consists of: cells, columns, lines.

A cell is a text, a whole number, `Points` (0 to 100), a `Change` of them, `Share` (0 to 1), a `Span` of points or shares, or
None: nothing to show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Points(NamedTuple):
    """A mean of points, 0 to 100."""

    value: float


class Share(NamedTuple):
    """A share, 0 to 1, shown in per cent."""

    value: float


class Change(NamedTuple):
    """A difference of two means of points, shown with its sign."""

    value: float


class Span(NamedTuple):
    """An interval of points or, with `percent`, of shares."""

    low: float
    high: float
    percent: bool


Cell = str | int | Points | Share | Change | Span | None


@dataclass(frozen=True)
class Column:
    """A heading; `span` columns hold intervals and become two columns where cells must be numbers."""

    label: str
    numeric: bool = True
    span: bool = False


@dataclass(frozen=True)
class Line:
    """A row of cells. `tone`: "" as usual, `total` for the bureau, `muted` for what is not ranked, `warning` for the last three."""

    cells: tuple[Cell, ...]
    tone: str = ""


@dataclass(frozen=True)
class Block:
    """A titled table with notes under it. `long` ones have a line per unit and item: left out on the terminal."""

    key: str
    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    long: bool = False
