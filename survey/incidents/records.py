"""One row -> one incident, or the reason why not. Pure: no database, no clock."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from survey import phone
from survey.eligibility import ADULT_AT, Exclusion, first
from survey.incidents import cells
from survey.incidents.fictitious import Fiction
from survey.incidents.mapping import FIELD_WORDS, Layout, Mapping
from survey.incidents.readers import Cell, Row
from survey.phone import NumberPolicy, NumberRefused, Problem

_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_DIGITS = re.compile(r"\d[\d\s-]{5,}\d")
_LONGEST_SHOWN = 80


@dataclass(frozen=True)
class Rejection:
    """One line of the rejects file. `kept` means that the incident was imported all the same, without what was wrong.

    `value` shows at most the last four digits of anything like a telephone number.
    """

    line: int
    column: str
    value: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    kept: bool = False


@dataclass(frozen=True)
class Record:
    """An incident as the file tells it; moments in UTC, `phone` in E.164. Personal data: never log it."""

    line: int
    number: str
    unit: str
    unit_name: str
    category: str
    call_type: str
    occurred_at: datetime
    arrived_at: datetime | None
    closed_at: datetime
    zone: str
    exclusion: Exclusion | None
    phone: str | None = field(default=None, repr=False)
    reporter: str | None = field(default=None, repr=False)
    officer: str | None = field(default=None, repr=False)
    place: str | None = field(default=None, repr=False)
    made_up: bool = False
    invented: tuple[str, ...] = ()  # fields that were made up here and do not stand in the file


class RowRefused(Exception):
    """A row cannot become an incident."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.en)
        self.rejection = rejection


@dataclass(frozen=True)
class Reading:
    """Everything that decides what a row means."""

    mapping: Mapping
    layout: Layout
    policy: NumberPolicy
    fiction: Fiction
    now: datetime

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone in which the file is written."""
        return ZoneInfo(self.mapping.zone)

    def interpret(self, row: Row) -> tuple[Record, tuple[Rejection, ...]]:
        """The incident in a row, with what was left out of it. Raises RowRefused."""
        told = _Cells(row, self.layout)
        if row.fault:
            raise RowRefused(Rejection(row.line, "", "", row.fault.zh, row.fault.en, row.fault.remedy_zh, row.fault.remedy_en))
        told.refuse_ragged()
        record, reasons = self._record(told)
        number, problem = self._phone(told)
        age, age_note = self._age(told)
        reasons += [_for_phone(problem)] if problem else []
        reasons += [Exclusion.UNDER_AGE] if age is not None and age < ADULT_AT else []
        record = self._invent(replace(record, phone=number, exclusion=first(reasons)))
        notes = [age_note] if age_note else []
        if problem and record.exclusion is Exclusion.BAD_NUMBER:
            notes.append(told.rejection("phone", problem.zh, problem.en, problem.remedy_zh, problem.remedy_en, kept=True))
        return record, tuple(notes)

    def _record(self, told: "_Cells") -> tuple[Record, list[Exclusion]]:
        mapping = self.mapping
        unit = cells.code(told["unit"])
        occurred_at = self._moment(told, "occurred_at")
        arrived_at = self._moment(told, "arrived_at") if told["arrived_at"] else None
        call_type = cells.code(told["call_type"])
        meaning = mapping.call_types.get(call_type, mapping.unlisted)
        if meaning is None:
            raise RowRefused(told.rejection("call_type", "代码不在映射表中", "the code is not in the mapping",
                                              "在映射文件 call_types 中补上该代码", "add the code to call_types"))  # fmt: skip
        has_unit = bool(unit) and unit not in mapping.no_unit
        reasons = [
            meaning.exclusion,
            mapping.dispositions.get(cells.code(told["disposition"])),
            mapping.sources.get(cells.code(told["source"])),
            None if has_unit else Exclusion.INVALID,
        ]
        record = Record(
            line=told.row.line,
            number=self._number(told),
            unit=unit if has_unit else "",
            unit_name=(cells.clean(told["unit_name"], 128) or mapping.unit_name.replace("{code}", unit)) if has_unit else "",
            category=meaning.category,
            call_type=call_type,
            occurred_at=occurred_at,
            arrived_at=arrived_at,
            closed_at=self._closed_at(told, occurred_at),
            zone=mapping.zone,
            exclusion=None,
            reporter=cells.clean(told["reporter"], 64) or None,
            officer=cells.clean(told["officer"], 64) or None,
            place=cells.clean(told["place"]) or None,
        )
        return record, [reason for reason in reasons if reason]

    def _number(self, told: "_Cells") -> str:
        number = cells.code(told["number"])
        if not number:
            raise RowRefused(told.rejection("number", "没有警情编号", "no incident number", "补上编号后重新导入", "add the number"))
        return number

    def _moment(self, told: "_Cells", name: str) -> datetime:
        try:
            return cells.moment(told[name], self.mapping.date_formats, self.zone)
        except (ValueError, OverflowError):
            shapes = "、".join(self.mapping.date_formats)
            raise RowRefused(told.rejection(name, "看不懂的时间", "not a date and time that can be read",
                                              f"改成 {shapes} 之一", f"write it as one of {shapes}")) from None  # fmt: skip

    def _closed_at(self, told: "_Cells", occurred_at: datetime) -> datetime:
        if told["closed_at"]:
            closed_at = self._moment(told, "closed_at")
        elif self.mapping.closed_after_minutes is not None:
            closed_at = occurred_at + timedelta(minutes=self.mapping.closed_after_minutes)
        else:
            raise RowRefused(
                told.rejection("closed_at", "尚未结案", "not closed yet", "结案后重新导入", "import it again when it is closed")
            )
        if closed_at < occurred_at:
            raise RowRefused(
                told.rejection("closed_at", "结案早于报警", "closed before it was reported", "核对两个时间", "check both times")
            )
        if occurred_at > self.now + timedelta(days=1):
            raise RowRefused(told.rejection("occurred_at", "报警时间在将来", "reported in the future", "核对年份", "check the year"))
        return closed_at

    def _phone(self, told: "_Cells") -> tuple[str | None, Problem | None]:
        if self.fiction.number:
            return None, None
        text = cells.clean(told["phone"], 200)
        if not text or cells.code(text) in self.mapping.no_phone:
            return None, Problem.MISSING
        try:
            return phone.parse(text, self.policy), None
        except NumberRefused as refused:
            return None, refused.problem

    def _age(self, told: "_Cells") -> tuple[int | None, Rejection | None]:
        try:
            return cells.age(told["age"]), None
        except ValueError:
            return None, told.rejection("age", "年龄不是数字", "the age is not a number", "改成数字", "write a number", kept=True)

    def _invent(self, record: Record) -> Record:
        if self.fiction.number:
            number = phone.parse(self.fiction.number(record.number), self.policy)
            record = replace(record, phone=number, made_up=True, invented=("phone",))
        if self.fiction.officer and record.unit and not record.officer:
            officer = self.fiction.officer(record.unit, record.number)
            record = replace(record, officer=officer, made_up=True, invented=(*record.invented, "officer"))
        # A Chinese demonstration file brings its own fictitious numbers: they too must be marked.
        return replace(record, made_up=True) if record.phone and phone.is_fictitious(record.phone) else record


def _for_phone(problem: Problem) -> Exclusion:
    return Exclusion.NO_NUMBER if problem is Problem.MISSING else Exclusion.BAD_NUMBER


@dataclass(frozen=True)
class _Cells:
    """The cells of a row by field name; a field that the file lacks is empty."""

    row: Row
    layout: Layout

    def __getitem__(self, name: str) -> Cell:
        place = self.layout.places.get(name)
        return self.row.cells[place] if place is not None and place < len(self.row.cells) else ""

    def refuse_ragged(self) -> None:
        """A row wider than the header, or one that lacks required cells, has shifted columns: nothing in it can be trusted."""
        width, expected = len(self.row.cells), len(self.layout.headers)
        if width > expected and any(self.row.cells[expected:]):
            zh, en = f"有 {width} 列，表头只有 {expected} 列", f"has {width} columns, the header only {expected}"
            raise RowRefused(self._whole(zh, en))
        if width <= max(self.layout.places[name] for name in ("number", "occurred_at", "unit")):
            raise RowRefused(self._whole(f"只有 {width} 列，缺少必需的列", f"has only {width} columns; required ones are missing"))

    def _whole(self, zh: str, en: str) -> Rejection:
        return Rejection(self.row.line, "", "", zh, en, "检查分隔符和引号", "check delimiters and quotation marks")

    def rejection(self, name: str, zh: str, en: str, remedy_zh: str, remedy_en: str, kept: bool = False) -> Rejection:
        place = self.layout.places.get(name)
        header = self.layout.headers[place] if place is not None else FIELD_WORDS[name]
        return Rejection(self.row.line, header, shown(name, self[name]), zh, en, remedy_zh, remedy_en, kept)


def shown(name: str, cell: Cell) -> str:
    """A bad value as it may be shown: digits that may be a telephone number only with their last four."""
    text = cells.clean(cell, _LONGEST_SHOWN)
    pattern = _DIGITS if name in ("phone", "reporter", "officer", "place", "age") else _MOBILE
    return pattern.sub(lambda match: "*" * (len(match[0]) - 4) + match[0][-4:], text)
