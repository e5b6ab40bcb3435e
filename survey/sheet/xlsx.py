"""The sheet as a workbook: numbers are numbers, texts are texts and never formulas, the head is frozen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO

import xlsxwriter

from survey.report import Sheet
from survey.sheet.csv import CONTROLS, split_cells, split_headings
from survey.sheet.layout import blocks, marks, title
from survey.sheet.tables import Block, Cell, Change, Line, Points, Share
from survey.sheet.text import width

OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
FONT = "Microsoft YaHei"
TONES: dict[str, dict[str, Any]] = {
    "": {},
    "total": {"bold": True, "bg_color": "#E8EEF4"},
    "muted": {"font_color": "#767676"},
    "warning": {"bold": True, "font_color": "#9C0006"},
}
NUMBERS = {"points": "0.0", "change": "+0.0;-0.0;0.0", "share": "0.0%", "count": "#,##0", "text": "@"}
WIDEST = 46


def render(sheet: Sheet, stream: BinaryIO, language: str = "zh") -> None:
    """Write the workbook to `stream`: one worksheet a table, and a chart of the units' total means."""
    write(stream, [title(sheet, language), *marks(sheet, language)], blocks(sheet, language), sheet.head.issued_at)


def write(stream: BinaryIO, head: Sequence[str], tables: Sequence[Block], at: datetime) -> None:
    """Write tables to `stream`, a worksheet each; the head's lines, title first, stand over the first. `at`: when they were made."""
    with xlsxwriter.Workbook(stream, OPTIONS) as book:
        book.set_properties({"title": head[0], "created": at.replace(tzinfo=None)})
        formats = _formats(book)
        for block in tables:
            _worksheet(book, block, list(head) if block is tables[0] else [], formats)


def _formats(book: Any) -> dict[tuple[str, str], Any]:
    common = {"font_name": FONT, "font_size": 10, "valign": "vcenter"}
    made = {
        (tone, kind): book.add_format({**common, **look, "num_format": pattern, "border": 1, "border_color": "#BFBFBF"})
        for tone, look in TONES.items()
        for kind, pattern in NUMBERS.items()
    }
    made["head", ""] = book.add_format(
        {**common, "bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF", "text_wrap": True, "border": 1}
    )
    made["title", ""] = book.add_format({**common, "bold": True, "font_size": 14})
    made["note", ""] = book.add_format({**common, "font_color": "#555555"})
    return made


def _worksheet(book: Any, block: Block, head: list[str], formats: dict[tuple[str, str], Any]) -> None:
    page = book.add_worksheet(block.title)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.set_footer("&C&P / &N")
    for number, text in enumerate(head):
        page.write_string(number, 0, text, formats["title", ""])
    top, headings = len(head), split_headings(block.columns)
    for column, label in enumerate(headings):
        page.write_string(top, column, label, formats["head", ""])
    for number, line in enumerate(block.lines, start=top + 1):
        _write_line(page, number, block, line, formats)
    bottom = top + len(block.lines)
    for number, note in enumerate(block.notes, start=bottom + 2):
        page.write_string(number, 0, note, formats["note", ""])
    _arrange(page, block, headings, top, bottom)
    if block.key == "units":
        _chart(book, page, block, top, bottom)


def _write_line(page: Any, number: int, block: Block, line: Line, formats: dict[tuple[str, str], Any]) -> None:
    for column, cell in enumerate(split_cells(block.columns, line.cells)):
        _write(page, number, column, cell, line.tone, formats)


def _write(page: Any, row: int, column: int, cell: Cell, tone: str, formats: dict[tuple[str, str], Any]) -> None:
    match cell:
        case Points(value):
            page.write_number(row, column, value, formats[tone, "points"])
        case Change(value):
            page.write_number(row, column, value, formats[tone, "change"])
        case Share(value):
            page.write_number(row, column, value, formats[tone, "share"])
        case int():
            page.write_number(row, column, cell, formats[tone, "count"])
        case str():
            page.write_string(row, column, CONTROLS.sub("", cell), formats[tone, "text"])
        case _:
            page.write_blank(row, column, None, formats[tone, "text"])


def _arrange(page: Any, block: Block, headings: list[str], top: int, bottom: int) -> None:
    page.freeze_panes(top + 1, 1)
    page.repeat_rows(top)
    page.autofilter(top, 0, bottom, len(headings) - 1)
    page.set_row(top, 30)
    texts = [[str(cell) if isinstance(cell, str) else "" for cell in split_cells(block.columns, line.cells)] for line in block.lines]
    for column, label in enumerate(headings):
        widest = max([width(label), *(width(row[column]) for row in texts)])
        page.set_column(column, column, min(WIDEST, max(7, widest + 1)))


def _chart(book: Any, page: Any, block: Block, top: int, bottom: int) -> None:
    """A native bar chart of the column of total means: the place of the first interval is one to its right."""
    means = next(index for index, column in enumerate(block.columns) if column.span) - 1
    chart = book.add_chart({"type": "bar"})
    names, values = [block.title, top + 1, 0, bottom, 0], [block.title, top + 1, means, bottom, means]
    chart.add_series({"name": block.columns[means].label, "categories": names, "values": values, "fill": {"color": "#2E6DA4"}})
    chart.set_legend({"none": True})
    chart.set_x_axis({"min": 0, "max": 100})
    chart.set_y_axis({"reverse": True})
    chart.set_size({"width": 720, "height": max(240, 24 * (bottom - top))})
    page.insert_chart(bottom + len(block.notes) + 4, 0, chart)
