"""Use cases of the calendar page: a table goes in, a day is set by hand; running orders follow, the trail keeps who and why (R48, A42)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from survey.calendar_table import CalendarTable
from survey.casework.numbering import next_number
from survey.casework.retiming import Retimed, retime
from survey.errors import BadInput
from survey.fieldwork.office import Office
from survey.order_moves import said
from survey.store.calendar_overlay import in_force
from survey.store.models import CalendarDay
from survey.working_days import Calendar, SpecialDay, beneath, incomplete_years

KINDS = {"off": ("放假", "off"), "work": ("上班（调休）", "worked (make-up day)"), "rule": ("按星期", "as its weekday")}
NAMES = 64
DECEMBER = 12


@dataclass(frozen=True)
class Loaded:
    """What an import did: years and number of days that it now says, days kept as somebody has set them by hand, orders that moved."""

    years: tuple[int, ...]
    days: int
    kept: tuple[date, ...]
    moved: tuple[Retimed, ...]


def load_table(session: Session, office: Office, table: CalendarTable, source: str, by: str, now: datetime) -> Loaded:
    """Let a table stand for the years that it holds, in place of what was shipped or loaded for them; days set by hand stay.

    Of a loaded year of which it holds nothing but the December before its own year, only those days change.
    Raises BadInput for a table with faulty lines or one that lacks a feast of the law, CalendarMissing (see `retime`).
    """
    if table.rejections:
        raise BadInput(f"{len(table.rejections)} 行有误，未导入 / {len(table.rejections)} faulty lines: nothing was loaded", "file")
    revision, before = _next_revision(session), in_force(session)
    eves = _eves(table.days, before)
    whole = [special for special in table.days if special.day not in eves]
    _refuse_incomplete(whole)
    years = tuple(sorted({special.day.year for special in whole}))
    standing = [each for each in session.scalars(select(CalendarDay)) if each.day.year in years or each.day in eves]
    by_hand = {each.day for each in standing if not each.source}
    _clear(session, [each.day for each in standing if each.source])
    wanted = {special.day: special for special in (*_nothing_special(years), *table.days) if special.day not in by_hand}
    session.add_all(
        CalendarDay(day=day, kind=each.kind, name=each.name, source=_shown(source), by=by, at=now, revision=revision)
        for day, each in sorted(wanted.items())
    )
    session.flush()
    moved = retime(session, office, before, in_force(session), f"导入 {_shown(source)}", now)
    subject = "calendar:" + ",".join(map(str, years))
    office.record(session, now, by, "calendar.import", subject, days=len(table.days), kept=len(by_hand), orders=len(moved))
    return Loaded(years, len(table.days), tuple(sorted(by_hand)), tuple(moved))


def set_day(
    session: Session, office: Office, day: date, kind: str, name: str, reason: str, by: str, now: datetime
) -> tuple[Retimed, ...]:  # fmt: skip
    """Set one day by hand, with a reason; the orders whose deadline moved. Raises BadInput, also in a year that is not loaded."""
    if kind not in KINDS:
        raise BadInput(f"须为 {'、'.join(KINDS)} 之一 / must be one of {', '.join(KINDS)}", "kind")
    revision, before, why = _next_revision(session), in_force(session), said(reason)
    if before.years is not None and day.year not in before.years:
        zh, en = f"{day.year} 年的安排尚未导入，请先导入全年的表", f"{day.year} is not loaded: import the year's table first"
        raise BadInput(f"{zh} / {en}", "day")
    row = session.get(CalendarDay, day)
    if row is None:
        row = CalendarDay(day=day)
        session.add(row)
    row.kind, row.name, row.source, row.reason = kind, _shown(name)[:NAMES], "", why
    row.by, row.at, row.revision = by, now, revision
    session.flush()
    moved = tuple(retime(session, office, before, in_force(session), why, now))
    office.record(session, now, by, "calendar.change", f"calendar:{day}", kind=kind, reason=why, orders=len(moved))
    return moved


def _eves(days: Iterable[SpecialDay], before: Calendar) -> set[date]:
    """The days of a notice that lie in the December before its year, where that earlier year is loaded: its New Year begins there."""
    by_year: dict[int, set[date]] = {}
    for special in days:
        by_year.setdefault(special.day.year, set()).add(special.day)
    earlier = [year for year in by_year if year + 1 in by_year and (before.years is None or year in before.years)]
    return {day for year in earlier if all(day.month == DECEMBER for day in by_year[year]) for day in by_year[year]}


def _refuse_incomplete(days: Iterable[SpecialDay]) -> None:
    for year, missing in incomplete_years(days).items():
        listed = "、".join(day.isoformat() for day in missing)
        zh = f"{year} 年的表不完整：缺少法定假日 {listed}；请导入国务院办公厅通知的全年安排"
        raise BadInput(f"{zh} / the table of {year} is not whole: {listed} must be off by law", "file")


def _nothing_special(years: Iterable[int]) -> list[SpecialDay]:
    """Every special day of what lies beneath in these years, as one that is none any more."""
    below, wanted = beneath(), set(years)
    return [SpecialDay(day, "rule") for day in sorted({*below.off, *below.work}) if day.year in wanted]


def _clear(session: Session, days: Collection[date]) -> None:
    session.execute(delete(CalendarDay).where(CalendarDay.day.in_(days)), execution_options={"synchronize_session": "fetch"})
    session.flush()


def _next_revision(session: Session) -> int:
    """The number of this change. Who else changes the calendar waits until the caller commits, also where no day is stored yet."""
    next_number(session, "calendar", 0)  # for its lock alone: a house of before it has revisions and no such counter
    return (session.scalar(select(func.max(CalendarDay.revision))) or 0) + 1


def _shown(text: str) -> str:
    return "".join(character for character in text if character.isprintable()).strip()[:255]
