"""The weekly list of orders as tables, and as files (R54)."""

from __future__ import annotations

from io import BytesIO, StringIO
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from survey.order_moves import EXTENSIONS, STATES
from survey.sheet import csv, xlsx
from survey.sheet.tables import Block, Column, Line
from survey.sheet.words import Words

if TYPE_CHECKING:
    from survey.bureau import Bureau
    from survey.casework.weekly import ListLine, UnitCounts, WeeklyList

KINDS = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def title(found: WeeklyList, bureau: Bureau, language: str) -> str:
    """The list's own title: whose it is, and of which day."""
    word = Words(language)
    whose = found.office or word(bureau.name, bureau.name_en)
    return f"{whose} {word('交办单每周清单', 'Weekly list of orders,')} {found.day}"


def blocks(found: WeeklyList, bureau: Bureau, language: str) -> tuple[Block, ...]:
    """The orders in hand, the overdue ones first, and the counts of the month to date. `language` is zh or en."""
    word = Words(language)
    return _orders(found, bureau, word), _counts(found, word)


def _orders(found: WeeklyList, bureau: Bureau, word: Words) -> Block:
    heads = (("编号", "Number"), ("责任单位", "Unit"), ("状态", "State"), ("交办日期", "Issued on"), ("到期日期", "Due on"))
    columns = tuple(Column(word(*head), numeric=False) for head in heads)
    days = (
        Column(word("剩余工作日", "Working days left")),
        Column(word("逾期工作日", "Working days overdue")),
        Column(word("退回次数", "Returns")),
        Column(word("延期", "Extension"), numeric=False),
    )
    until = f"{found.at.astimezone(ZoneInfo(bureau.zone)):%Y-%m-%d %H:%M}"
    zh = f"截至 {until}；到期当日 24 时止，逾期自次一工作日起计"
    as_of = word(zh, f"As of {until}; due at the end of the day, overdue by working days after it")
    notes = (as_of,) if found.lines else (word("没有未办结的交办单", "No orders in hand"), as_of)
    return Block("orders", word("未办结交办单", "Orders in hand"), columns + days, tuple(_order(line, word) for line in found.lines), notes)


def _order(line: ListLine, word: Words) -> Line:
    cells = (line.number, line.unit, word(*STATES.get(line.state, (line.state,) * 2)), str(line.issued_on), str(line.due_on))
    days = (None, -line.days_left) if line.is_late else (line.days_left, None)
    extension = word(*EXTENSIONS[line.extension]) if line.extension else ""
    return Line((*cells, *days, line.returns, extension), "warning" if line.is_late else "")


def _counts(found: WeeklyList, word: Words) -> Block:
    heads = (("未办结", "In hand"), ("现已逾期", "Overdue now"), ("本月交办", "Issued"), ("本月回复", "Answered"), ("本月逾期", "Overdue"),
             ("本月办结", "Closed"))  # fmt: skip
    columns = (Column(word("责任单位", "Unit"), numeric=False), *(Column(word(*head)) for head in heads))
    lines = [_count(row, row.unit, "") for row in found.counts]
    notes = (word("后四列自本月 1 日起计", "The last four columns count from the first of the month"),)
    return Block("counts", word("本月计数", "Month to date"), columns, (*lines, _count(found.total, word("合计", "All"), "total")), notes)


def _count(row: UnitCounts, name: str, tone: str) -> Line:
    return Line((name, row.in_hand, row.late, row.issued, row.answered, row.overdue, row.closed), tone)


def render(found: WeeklyList, bureau: Bureau, kind: str, language: str = "zh") -> bytes:
    """The list as a file of one of KINDS."""
    head, tables = [title(found, bureau, language)], blocks(found, bureau, language)
    if kind == "xlsx":
        book = BytesIO()
        xlsx.write(book, head, tables, found.at)
        return book.getvalue()
    lines = StringIO(newline="")
    csv.write(lines, head, tables)
    return lines.getvalue().encode(csv.ENCODING)
