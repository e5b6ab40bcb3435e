"""The ledger of four levels as CSV and XLSX: no name and no number of a caller, names of officers masked, texts never formulas (R2)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from survey.casework.register import REGISTER_STATES
from survey.disclosure import UNREADABLE
from survey.disposition import Disposition
from survey.eligibility import category_words
from survey.order_replies import FINDINGS
from survey.paper.words import CODES
from survey.scoring import ITEMS
from survey.sheet.csv import CONTROLS, ENCODING, guarded, writer
from survey.sheet.words import ITEM_WORDS, Words
from survey.sheet.xlsx import FONT, OPTIONS
from survey.store.queries.ledger import LEVELS, LedgerLine
from survey.store.queries.register import IncidentRow

RECALLED = {
    "satisfied": ("满意", "satisfied"), "dissatisfied": ("仍不满意", "still dissatisfied"), "unreachable": ("无法接通", "nobody reached"),
    "declined": ("不愿回访", "wanted no call"),
}  # fmt: skip
HEADS = (
    ("警情编号", "Incident"), ("单位", "Unit"), ("类别", "Category"), ("报警时间", "Reported"), ("层级", "Level"), ("时间", "When"),
    ("经办", "By"), ("结果", "Result"),
)  # fmt: skip
WIDTHS = (20, 18, 14, 17, 12, 17, 12, 18, 12, 12, 12, 12, 12)

Ledgers = Iterable[tuple[IncidentRow, list[LedgerLine]]]


def result(say: Words, line: LedgerLine) -> str:
    """What came of a callback, in words."""
    if line.level == "telephone":
        found = Disposition.from_word(line.result)
        return say(found.zh, found.en)
    table = {"on_site": REGISTER_STATES, "home_visit": FINDINGS, "re_callback": RECALLED}[line.level]
    return say(*table.get(line.result, (line.result, line.result)))


def made_by(line: LedgerLine) -> str:
    """Who made a callback: of an officer's name, or number, at the scene the first character and stars; of the others the account."""
    name = line.by.strip()
    return name[0] + "**" if line.level == "on_site" and name not in ("", UNREADABLE) else name


def rows(ledgers: Ledgers, language: str, zone: ZoneInfo) -> Iterator[list[str]]:
    """The head, then a row for each callback; an incident without any has one row."""
    say = Words(language)
    yield [say(*head) for head in HEADS] + [say(*ITEM_WORDS[item]) for item in ITEMS]
    for incident, lines in ledgers:
        first = [incident.number, incident.unit or "", say(*category_words(incident.category)), _minute(incident.occurred_at, zone)]
        if not lines:
            yield first + [""] * (len(HEADS) - len(first) + len(ITEMS))
        yield from (first + _callback(say, line, zone) for line in lines)


def _callback(say: Words, line: LedgerLine, zone: ZoneInfo) -> list[str]:
    answers = (line.answers.get(item, "") for item in ITEMS)
    rated = [say(*CODES.get(code, (code, code))) if code else "" for code in answers]
    return [say(*LEVELS[line.level]), _minute(line.at, zone), made_by(line), result(say, line), *rated]


def _minute(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def as_csv(table: Iterable[list[str]]) -> bytes:
    """The rows as CSV that Excel opens by double click."""
    stream = io.StringIO(newline="")
    out = writer(stream)
    out.writerows([guarded(text) for text in row] for row in table)
    return stream.getvalue().encode(ENCODING)


def as_xlsx(table: Iterable[list[str]]) -> bytes:
    """The rows as a workbook with a frozen head and filters."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, OPTIONS) as book:
        page: Any = book.add_worksheet()
        looks = [book.add_format({"font_name": FONT, "font_size": 10, "bold": bold, "num_format": "@"}) for bold in (False, True)]
        count = 0
        for number, row in enumerate(table):
            for place, text in enumerate(row):
                page.write_string(number, place, CONTROLS.sub("", text), looks[number == 0])
            count = number
        for place, width in enumerate(WIDTHS):
            page.set_column(place, place, width)
        page.freeze_panes(1, 0)
        page.autofilter(0, 0, count, len(WIDTHS) - 1)
    return stream.getvalue()
