"""Rows out of files: CSV, XLSX, XLS and the HTML table that calls itself .xls. All stream or are limited in size.

A cell is a text, or a datetime where a sheet knows it to be one; numbers become the text a person would read
(13800138000, never 1.38E+10).
"""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TextIO
from xml.etree.ElementTree import ParseError

from openpyxl.reader.excel import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from xlrd import open_workbook
from xlrd.biffh import XL_CELL_BLANK, XL_CELL_DATE, XL_CELL_EMPTY, XL_CELL_ERROR, XLRDError
from xlrd.compdoc import CompDocError
from xlrd.xldate import XLDateError, xldate_as_datetime

from survey.incidents.html_table import rows_of_first_table
from survey.incidents.sniffing import FileFormat, Limits, Unreadable, sniff

Cell = str | datetime
_open_xlsx: Callable[..., Any] = load_workbook  # both libraries come without types
_open_xls: Callable[..., Any] = open_workbook
_xls_moment: Callable[..., datetime] = xldate_as_datetime
_TOO_LONG = "\x1e"
_DELIMITERS = ",\t;|\uff0c"


@dataclass(frozen=True)
class Row:
    """One record of a file: the number of its first line (or sheet row), its cells, and why it could not be read, if so."""

    line: int
    cells: tuple[Cell, ...]
    fault: "Fault | None" = None


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be used, and the remedy, in Chinese and English."""

    zh: str
    en: str
    remedy_zh: str = "改正后重新导入"
    remedy_en: str = "mend the line and import again"


@dataclass(frozen=True)
class Table:
    """An opened file: what it turned out to be, and its rows, to be walked once."""

    format: FileFormat
    rows: Iterator[Row]


def open_table(path: Path, limits: Limits | None = None, *, code_page: str = "", delimiter: str = "", sheet: str = "") -> Table:
    """Open a file of incidents for one walk over its rows. Blank rows are left out. Raises Unreadable."""
    limits = limits or Limits()
    found = sniff(path, limits, code_page)
    read: dict[str, Callable[[], Iterator[Row]]] = {
        "csv": lambda: _csv_rows(path, found.encoding, delimiter, limits),
        "html": lambda: _html_rows(path, found.encoding, limits),
        "xlsx": lambda: _xlsx_rows(path, sheet, limits),
        "xls": lambda: _xls_rows(path, sheet, limits),
    }
    return Table(found, (row for row in read[found.kind]() if row.fault or any(cell != "" for cell in row.cells)))


def _csv_rows(path: Path, encoding: str, delimiter: str, limits: Limits) -> Iterator[Row]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        delimiter = delimiter or _guess_delimiter(file.readline(limits.line_characters))
        file.seek(0)
        lines = _Lines(file, limits.line_characters)
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, (), Fault(f"这一行读不懂（{error}）", f"the line cannot be read ({error})",
                                          "检查引号是否成对", "see that quotation marks are closed"))  # fmt: skip
                continue
            fault = _csv_fault(cells, limits)
            yield Row(line, () if fault else tuple(cell.strip() for cell in cells), fault)


def _csv_fault(cells: list[str], limits: Limits) -> Fault | None:
    if cells == [_TOO_LONG]:
        most = limits.line_characters
        return Fault(f"这一行超过 {most} 个字符", f"the line has more than {most} characters")
    if len(cells) > limits.columns:
        return _too_wide(len(cells), limits)
    whole = "".join(cells)
    if "\0" in whole:
        return Fault("含有空字节（NUL），文件可能已损坏", "holds NUL bytes; the file may be damaged",
                     "重新导出该文件", "export the file again")  # fmt: skip
    if "\ufffd" in whole:
        return Fault("含有无法解码的字符", "holds characters that cannot be decoded",
                     "在映射文件中写明 code_page，或另存为 UTF-8", "name the code_page in the mapping, or save as UTF-8")  # fmt: skip
    return None


def _too_wide(width: int, limits: Limits) -> Fault:
    return Fault(f"有 {width} 列，上限 {limits.columns} 列", f"has {width} columns, at most {limits.columns} are read",
                 "检查分隔符和引号", "check delimiters and quotation marks")  # fmt: skip


class _Lines:
    """The lines of a text file, of which an endless one becomes a short marker instead of filling the memory."""

    def __init__(self, file: TextIO, most: int) -> None:
        self._file, self._most = file, most

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(self._most)
        if not line:
            raise StopIteration
        if len(line) < self._most or line.endswith("\n"):
            return line
        while (rest := self._file.readline(self._most)) and not rest.endswith("\n"):
            pass
        return _TOO_LONG + "\n"


def _guess_delimiter(header: str) -> str:
    outside = "".join(header.split('"')[0::2])
    return max(_DELIMITERS, key=outside.count)


def _html_rows(path: Path, encoding: str, limits: Limits) -> Iterator[Row]:
    with path.open(encoding=encoding, errors="replace") as file:
        for line, cells in enumerate(rows_of_first_table(file), start=1):
            fault = _too_wide(len(cells), limits) if len(cells) > limits.columns else None
            yield Row(line, () if fault else cells, fault)


def _xlsx_rows(path: Path, sheet: str, limits: Limits) -> Iterator[Row]:
    try:
        with path.open("rb") as file:  # by a path the library goes by the file's name
            book = _open_xlsx(file, read_only=True, data_only=True)
            pages = [page for page in book.worksheets if not sheet or page.title == sheet]
            if not pages:
                raise Unreadable(f"没有名为“{sheet}”的工作表", f"there is no sheet named “{sheet}”")
            pages[0].reset_dimensions()  # a sheet's own claim about its size is not to be trusted
            for line, values in enumerate(pages[0].iter_rows(values_only=True), start=1):
                yield _sheet_row(line, values, limits)
            book.close()
    except (zipfile.BadZipFile, KeyError, InvalidFileException, ParseError, ValueError, EOFError, OSError):
        raise Unreadable(
            "不是能读的 XLSX（已损坏、加密或另一种格式）", "not a readable XLSX (damaged, encrypted, or of another kind)"
        ) from None


def _sheet_row(line: int, values: tuple[Any, ...], limits: Limits) -> Row:
    while values and values[-1] is None:
        values = values[:-1]
    if len(values) > limits.columns:
        return Row(line, (), _too_wide(len(values), limits))
    return Row(line, tuple(_as_cell(value) for value in values))


def _xls_rows(path: Path, sheet: str, limits: Limits) -> Iterator[Row]:
    try:
        book = _open_xls(path, on_demand=True, logfile=io.StringIO())
        page = book.sheet_by_name(sheet) if sheet else book.sheet_by_index(0)
    except (XLRDError, CompDocError, AssertionError, IndexError, ValueError, OSError):
        raise Unreadable(
            "不是能读的 XLS（已损坏、加密，或没有该工作表）", "not a readable XLS (damaged, encrypted, or without the sheet)"
        ) from None
    for index in range(page.nrows):
        values = tuple(_xls_value(page.cell(index, column), book.datemode) for column in range(page.row_len(index)))
        yield _sheet_row(index + 1, values, limits)


def _xls_value(cell: Any, datemode: int) -> Any:
    if cell.ctype == XL_CELL_DATE:
        try:
            return _xls_moment(cell.value, datemode)
        except (XLDateError, OverflowError, ValueError):
            return cell.value
    return None if cell.ctype in (XL_CELL_EMPTY, XL_CELL_BLANK, XL_CELL_ERROR) else cell.value


def _as_cell(value: Any) -> Cell:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()
