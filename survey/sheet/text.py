"""The sheet for a terminal: columns stand under each other although Chinese characters are two cells wide."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from survey.report import Sheet
from survey.sheet.layout import blocks, marks, title
from survey.sheet.tables import Block, Cell, Change, Points, Share, Span

NOTHING = "—"
GAPS = ("  ", " ")
WIDEST = 180
SMALLEST = 0.05
"""What one decimal can show of a change: less has no sign."""


def show(cell: Cell) -> str:
    """A cell in words: one decimal for means and rates, a dash for nothing."""
    match cell:
        case None:
            return NOTHING
        case Points(value):
            return f"{value:.1f}"
        case Share(value):
            return f"{100 * value:.1f}"
        case Change(value):
            return f"{value:+.1f}" if abs(value) >= SMALLEST else "0.0"
        case Span(low, high, percent):
            factor = 100 if percent else 1
            return f"{factor * low:.1f}–{factor * high:.1f}"
    return str(cell)


def width(text: str) -> int:
    """The cells that a text takes on a terminal: wide and full-width characters take two, combining marks none."""
    return sum((1 + (unicodedata.east_asian_width(char) in "WF")) * (not unicodedata.combining(char)) for char in text)


def render(sheet: Sheet, language: str = "zh") -> str:
    """The whole sheet as plain text, without the longest tables."""
    parts = [title(sheet, language), *(f"【{mark}】" for mark in marks(sheet, language))]
    for block in blocks(sheet, language):
        if not block.long:
            parts += ["", f"■ {block.title}", *_table(block), *block.notes]
    return "\n".join(parts) + "\n"


def _table(block: Block) -> Iterator[str]:
    """The table's lines; the columns move together where it would be wider than WIDEST."""
    rows = [[column.label for column in block.columns], *([show(cell) for cell in line.cells] for line in block.lines)]
    widths = [max(width(row[index]) for row in rows) for index in range(len(block.columns))]
    numeric = [column.numeric for column in block.columns]
    gap = GAPS[sum(widths) + len(GAPS[0]) * (len(widths) - 1) > WIDEST]
    yield _line(rows[0], widths, numeric, gap)
    yield gap.join("─" * cells for cells in widths)
    for row in rows[1:]:
        yield _line(row, widths, numeric, gap)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool], gap: str) -> str:
    padded = []
    for cell, room, right in zip(cells, widths, numeric, strict=True):
        space = " " * (room - width(cell))
        padded.append(space + cell if right else cell + space)
    return gap.join(padded).rstrip()
