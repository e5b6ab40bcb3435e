"""A table of holidays and make-up days as a file → days, or the lines that cannot be used, each with its remedy (A42)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path

from survey.incidents.cells import clean, code
from survey.incidents.mapping import plain_header
from survey.incidents.readers import Cell, Row, open_table
from survey.incidents.records import Rejection
from survey.incidents.sniffing import MEBIBYTE, Limits, Unreadable
from survey.working_days import SATURDAY, SpecialDay

LIMITS = Limits(
    text_bytes=MEBIBYTE, sheet_bytes=MEBIBYTE, unpacked_bytes=20 * MEBIBYTE, shared_text_bytes=5 * MEBIBYTE, columns=64,
    line_characters=4096,
)  # fmt: skip
MOST_DAYS, HEADER_WITHIN = 1000, 10
COLUMNS = {"date": ("date", "日期", "day"), "kind": ("kind", "类型", "类别", "type"), "name": ("name", "名称", "节日", "holiday")}
KINDS = {
    "off": "off", "放假": "off", "休": "off", "休息": "off", "节假日": "off", "holiday": "off",
    "work": "work", "上班": "work", "班": "work", "调休上班": "work", "调休": "work", "补班": "work", "workday": "work",
}  # fmt: skip
FIRST_YEAR, LAST_YEAR = 2004, 2100
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


@dataclass(frozen=True)
class CalendarTable:
    """What a file says: its days, and the lines that cannot be used. With any of these, nothing is to be loaded."""

    days: tuple[SpecialDay, ...]
    rejections: tuple[Rejection, ...]


def read_table(path: Path) -> CalendarTable:
    """The special days of a CSV or XLSX file with the columns date, kind, name. Raises Unreadable for what is no such file."""
    rows = open_table(path, LIMITS).rows
    places = _header(rows)
    days: dict[date, SpecialDay] = {}
    rejections: list[Rejection] = []
    for count, row in enumerate(rows):
        if count == MOST_DAYS:
            raise Unreadable(f"超过 {MOST_DAYS} 行，不像节假日表", f"more than {MOST_DAYS} lines: not a table of holidays")
        read = _read(row, places)
        if isinstance(read, SpecialDay) and days.setdefault(read.day, read).kind != read.kind:
            read = Rejection(row.line, "date", read.day.isoformat(), "同一天写了两种安排", "the day stands there twice, differently",
                             "只留一行", "leave one of the lines")  # fmt: skip
        if isinstance(read, Rejection):
            rejections.append(read)
    if not days and not rejections:
        raise Unreadable("文件里没有日期", "the file holds no day")
    return CalendarTable(tuple(days[day] for day in sorted(days)), tuple(rejections))


def _header(rows: Iterator[Row]) -> dict[str, int]:
    for row in islice(rows, HEADER_WITHIN):
        headers = [plain_header(clean(cell)) for cell in row.cells]
        places = {name: headers.index(one) for name, synonyms in COLUMNS.items() for one in synonyms if one in headers}
        if {"date", "kind"} <= places.keys():
            return places
    raise Unreadable(
        "找不到表头：须有 date（日期）、kind（类型）两列，可有 name（名称）", "no header: the columns date and kind are needed"
    )


def _read(row: Row, places: dict[str, int]) -> SpecialDay | Rejection:
    if row.fault:
        return Rejection(row.line, "", "", row.fault.zh, row.fault.en, row.fault.remedy_zh, row.fault.remedy_en)
    cells = {name: row.cells[place] if place < len(row.cells) else "" for name, place in places.items()}
    day, kind = _day(cells["date"]), KINDS.get(code(cells["kind"]).casefold())
    if day is None:
        return Rejection(row.line, "date", clean(cells["date"], 40), "看不懂的日期", "not a date that can be read",
                         "写成 2027-01-01", "write it like 2027-01-01")  # fmt: skip
    if kind is None:
        return Rejection(row.line, "kind", clean(cells["kind"], 40), "类型只能是 off（放假）或 work（上班）", "the kind is off or work",
                         "改成 off 或 work", "write off or work")  # fmt: skip
    if kind == "work" and day.weekday() < SATURDAY:
        return Rejection(row.line, "date", day.isoformat(), "周一至周五本就上班，不是调休", "Monday to Friday is worked anyway",
                         "核对日期", "check the date")  # fmt: skip
    return SpecialDay(day, kind, clean(cells.get("name", ""), 64))


def _day(cell: Cell) -> date | None:
    if isinstance(cell, datetime):
        found = cell.date()
    elif match := _DATE.fullmatch(code(cell)):
        try:
            found = date(*(int(part) for part in match.groups()))
        except ValueError:
            return None
    else:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None
