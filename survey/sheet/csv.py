"""CSV that Chinese Excel opens by double click, and in which no text becomes a formula (RS59)."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from survey.report import Sheet
from survey.sheet.layout import blocks, marks, title
from survey.sheet.tables import Block, Cell, Change, Column, Points, Share, Span

ENCODING = "utf-8-sig"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, overrides of the writing direction, lone surrogates: never data, always trouble."""
LINE_ENDS = re.compile(r"(\r\n|\r|\n)")


def guarded(text: str) -> str:
    """The text with an apostrophe before every line that a spreadsheet could take for a formula; `unguarded` undoes it.

    The first character that is not blank counts, after NFKC, so that a full-width ＝ or a hard space hides nothing.
    """
    pieces = LINE_ENDS.split(CONTROLS.sub("", text))
    return "".join(piece if LINE_ENDS.fullmatch(piece) else _guarded_line(piece) for piece in pieces)


def _guarded_line(line: str) -> str:
    first = unicodedata.normalize("NFKC", line).lstrip(" ")[:1]
    return f"'{line}" if first in FORMULA_STARTS and first else line


def unguarded(text: str) -> str:
    """What `guarded` was given, control characters apart."""
    return "".join(piece.removeprefix("'") for piece in LINE_ENDS.split(text))


def writer(stream: TextIO) -> Any:
    """A writer for `stream`, which must be opened with `newline=""` and `ENCODING`; lines end in CR LF."""
    return csv.writer(stream, lineterminator="\r\n")


def render(sheet: Sheet, stream: TextIO, language: str = "zh") -> None:
    """Write all tables of the sheet one under the other; means and per cents are numbers with one decimal."""
    write(stream, [title(sheet, language), *marks(sheet, language)], blocks(sheet, language))


def write(stream: TextIO, head: Iterable[str], tables: Iterable[Block]) -> None:
    """Write lines for a head, and tables one under the other."""
    out = writer(stream)
    out.writerows([guarded(line)] for line in head)
    for block in tables:
        out.writerow([])
        out.writerow([block.title])
        out.writerow(split_headings(block.columns))
        out.writerows([_plain(cell) for cell in split_cells(block.columns, line.cells)] for line in block.lines)
        out.writerows([guarded(note)] for note in block.notes)


def split_headings(columns: Iterable[Column]) -> list[str]:
    """The headings with each interval as two columns."""
    return [f"{column.label}{edge}" for column in columns for edge in ((" ↓", " ↑") if column.span else ("",))]


def split_cells(columns: Iterable[Column], cells: Iterable[Cell]) -> Iterator[Cell]:
    """The cells with each interval as its two ends."""
    for column, cell in zip(columns, cells, strict=True):
        if not column.span:
            yield cell
        elif isinstance(cell, Span):
            end = Share if cell.percent else Points
            yield from (end(cell.low), end(cell.high))
        else:
            yield from (None, None)


def _plain(cell: Cell) -> str | int:
    match cell:
        case Points(value):
            return f"{value:.1f}"
        case Change(value):
            return f"{value:z.1f}"
        case Share(value):
            return f"{100 * value:.1f}"
        case int():
            return cell
        case str():
            return guarded(cell)
    return ""
