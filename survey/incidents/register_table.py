"""One line of the on-site register (处警登记簿) as a file tells it → an entry, or why it is none (R1). Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from survey.errors import BadInput
from survey.incidents.cells import clean, code, moment
from survey.incidents.mapping import plain_header
from survey.incidents.readers import Cell, Row
from survey.incidents.records import Rejection, RowRefused
from survey.incidents.sniffing import Unreadable

FIELDS = {
    "number": ("警情编号", "number of the incident"), "state": ("签字情况", "whether it was signed"),
    "by": ("登记民警", "who entered it"), "at": ("登记时间", "when"), "reason": ("原因", "why not"),
}  # fmt: skip
REQUIRED = ("number", "state", "by", "at")
HEADERS = {
    "number": ("警情编号", "警情号", "接警编号", "编号", "number", "incident"),
    "state": ("签字情况", "签字状态", "签名情况", "是否签字", "登记状态", "state", "signature"),
    "by": ("登记民警", "登记人", "处警民警", "民警", "by", "officer"),
    "at": ("登记时间", "现场回访时间", "回访时间", "时间", "at", "time"),
    "reason": ("原因", "未签原因", "备注", "reason"),
}
WORDS = {
    "signed": "signed", "已签字": "signed", "已签": "signed", "签字": "signed", "是": "signed",
    "refused": "refused", "拒签": "refused", "拒绝签字": "refused", "拒绝": "refused",
    "unable": "unable", "无法签字": "unable", "不能签字": "unable",
    "missing": "missing", "无登记": "missing", "未登记": "missing", "缺失": "missing",
}  # fmt: skip
DATE_FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日%H:%M", "iso", "excel",
)  # fmt: skip
HEADER_WITHIN, LONGEST_NAME, LONGEST_REASON = 20, 64, 500


@dataclass(frozen=True)
class RegisterMapping:
    """How a bureau's register is read: field → headers it may have, word → state, and the zone of its times."""

    zone: ZoneInfo
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: HEADERS)
    words: Mapping[str, str] = field(default_factory=lambda: WORDS)


@dataclass(frozen=True)
class RegisterLine:
    """An entry as the file tells it; `at` in UTC."""

    line: int
    number: str
    state: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class RegisterLayout:
    """Where the fields stand in one file."""

    places: Mapping[str, int]
    headers: tuple[str, ...]

    def rejection(self, row: Row, name: str, zh: str, en: str, remedy_zh: str, remedy_en: str) -> Rejection:
        """What is wrong with one field of a row; names of people are not repeated."""
        header = self.headers[self.places[name]] if name in self.places else FIELDS[name][0]
        value = "" if name == "by" else clean(self.cell(row, name), 80)
        return Rejection(row.line, header, value, zh, en, remedy_zh, remedy_en)

    def cell(self, row: Row, name: str) -> Cell:
        """The cell of a field; empty where the row or the file lacks it."""
        place = self.places.get(name)
        return row.cells[place] if place is not None and place < len(row.cells) else ""


def mapping_with(zone: ZoneInfo, columns: tuple[str, ...] = (), words: tuple[str, ...] = ()) -> RegisterMapping:
    """The usual mapping with what a bureau calls otherwise: `number=事件号`, `签过了=signed`. Raises BadInput."""
    headers, known = dict(HEADERS), dict(WORDS)
    for name, header in map(_pair, columns):
        if name not in FIELDS:
            raise BadInput(f"没有“{name}”这一栏，可用 {'、'.join(FIELDS)} / there is no field {name}: {', '.join(FIELDS)}", "column")
        headers[name] = (header, *headers[name])
    for word, state in map(_pair, words):
        if state not in known.values():
            states = dict.fromkeys(WORDS.values())
            raise BadInput(f"没有“{state}”这种登记状态，可用 {'、'.join(states)} / no such state: {', '.join(states)}", "word")
        known[word] = state
    return RegisterMapping(zone, headers, known)


def _pair(text: str) -> tuple[str, str]:
    left, sign, right = (part.strip() for part in text.partition("="))
    if not (left and sign and right):
        raise BadInput(f"“{text}”须写成 甲=乙 / “{text}” must be written as a=b", "column")
    return left, right


def find_header(rows: Iterator[Row], mapping: RegisterMapping) -> RegisterLayout:
    """The header: the first row that has all required columns; titles may stand above it. Raises Unreadable naming what is missing."""
    missing: tuple[str, ...] = REQUIRED
    for row in islice(rows, HEADER_WITHIN):
        texts = tuple(clean(cell) for cell in row.cells)
        headers = [plain_header(text) for text in texts]
        places = {
            name: headers.index(plain_header(one))
            for name, synonyms in mapping.columns.items()
            for one in reversed(synonyms)
            if plain_header(one) in headers
        }
        lacking = tuple(name for name in REQUIRED if name not in places)
        if not lacking:
            return RegisterLayout(places, texts)
        missing = min(missing, lacking, key=len)
    words = "；".join(f"{FIELDS[name][0]} {name}（{' / '.join(mapping.columns[name])}）" for name in missing)
    raise Unreadable(f"找不到必需的列：{words}", "required columns are missing: " + ", ".join(missing))


def interpret(row: Row, layout: RegisterLayout, mapping: RegisterMapping, now: datetime) -> RegisterLine:
    """The entry in a row. Raises RowRefused with place and remedy."""
    if row.fault:
        raise RowRefused(Rejection(row.line, "", "", row.fault.zh, row.fault.en, row.fault.remedy_zh, row.fault.remedy_en))
    number, state, by = code(layout.cell(row, "number")), code(layout.cell(row, "state")), clean(layout.cell(row, "by"), LONGEST_NAME)
    if not number:
        raise RowRefused(layout.rejection(row, "number", "没有警情编号", "no incident number", "补上编号", "add the number"))
    if (known := mapping.words.get(state) or mapping.words.get(state.casefold())) is None:
        told = "、".join(dict.fromkeys(mapping.words))
        raise RowRefused(layout.rejection(row, "state", "看不懂的登记状态", "not a state that is known", f"写成 {told} 之一",
                                          "write signed, refused, unable or missing"))  # fmt: skip
    if not by:
        raise RowRefused(layout.rejection(row, "by", "没有登记民警", "nobody is named", "补上民警姓名或警号", "add name or number"))
    reason = clean(layout.cell(row, "reason"), LONGEST_REASON)
    if known == "unable" and len(reason) < 2:
        raise RowRefused(
            layout.rejection(row, "reason", "无法签字须写明原因", "unable to sign needs a reason", "补上原因", "add the reason")
        )
    return RegisterLine(row.line, number, known, by, _at(row, layout, mapping, now), reason)


def _at(row: Row, layout: RegisterLayout, mapping: RegisterMapping, now: datetime) -> datetime:
    try:
        at = moment(layout.cell(row, "at"), DATE_FORMATS, mapping.zone)
    except (ValueError, OverflowError):
        raise RowRefused(layout.rejection(row, "at", "看不懂的时间", "not a date and time that can be read", "写成 2026-03-01 08:30",
                                          "write it like 2026-03-01 08:30")) from None  # fmt: skip
    if at > now + timedelta(days=1):
        raise RowRefused(layout.rejection(row, "at", "登记时间在将来", "entered in the future", "核对年份", "check the year"))
    return at
