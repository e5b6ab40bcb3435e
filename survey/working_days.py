"""Which days are worked, which are holidays, and when N working days are over (R14, R48).

The Chinese calendar follows the State Council's yearly notices, with their make-up working days at weekends. A year
whose notice is not loaded is refused: a deadline is never guessed.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from chinese_calendar.constants import holidays, workdays

from survey.errors import BadInput, SurveyError

SATURDAY = 5
ONE_DAY = timedelta(days=1)
NOTICE_MONTH = 11
"""From this month on the next year's notice is asked for."""


FEASTS = ((1, 1), (5, 1), (10, 1), (10, 2), (10, 3))
"""Days off in every year by the regulation itself (国务院令 全国年节及纪念日放假办法): a year's days without them are not whole."""


class CalendarMissing(SurveyError):
    """No calendar of holidays is loaded for this year."""

    def __init__(self, year: int) -> None:
        super().__init__(
            f"{year} 年的节假日安排尚未载入，无法推算工作日；请载入该年的安排"
            f" / no holiday calendar for {year}: load that year's notice before working days are counted."
        )
        self.year = year


@dataclass(frozen=True)
class SpecialDay:
    """A day that departs from the rule Monday to Friday: `kind` is `off` (public holiday) or `work` (make-up working day).

    In an overlay `rule` says that the day departs from it no more.
    """

    day: date
    kind: str
    name: str = ""


@dataclass(frozen=True)
class Calendar:
    """Days off and make-up days. `years` is None when every year follows the rule Monday to Friday."""

    name: str
    off: Mapping[date, str] = field(default_factory=dict)
    work: Mapping[date, str] = field(default_factory=dict)
    years: frozenset[int] | None = None

    def with_days(self, days: Iterable[SpecialDay]) -> Calendar:
        """This calendar overlaid with `days`, which win; the years that they lie in count as loaded."""
        overlay = tuple(days)
        off, work = dict(self.off), dict(self.work)
        for special in overlay:
            off.pop(special.day, None)
            work.pop(special.day, None)
            if special.kind != "rule":
                (off if special.kind == "off" else work)[special.day] = special.name
        years = None if self.years is None else self.years | {special.day.year for special in overlay}
        return Calendar(self.name, off, work, years)


_given: dict[str, tuple[SpecialDay, ...]] = {"file": (), "stored": ()}
"""What lies over the shipped calendar in this process, from the lowest layer up."""
_installed: dict[str, Calendar] = {}


@cache
def shipped() -> Calendar:
    """The Chinese calendar as this program ships it, 2004 to 2026."""
    off, work = dict(holidays), dict(workdays)
    return Calendar("cn", off, work, frozenset(day.year for day in off))


def _chinese() -> Calendar:
    return _installed.get("cn") or shipped()


def install(days: Iterable[SpecialDay], layer: str = "file") -> None:
    """Lay `days` over the calendar `cn` for the rest of this process, in place of those installed before in the same layer.

    `file` holds what the settings name, `stored` what administrators have entered, which wins. A notice that came out after this
    program is a fact like those it ships. Whoever holds a calendar keeps it as it was.
    """
    _given[layer] = tuple(days)
    _installed["cn"] = beneath().with_days(_given["stored"])


def beneath() -> Calendar:
    """The calendar `cn` without the stored days: what is shipped and what the settings name."""
    return shipped().with_days(_given["file"])


def _weekdays() -> Calendar:
    return Calendar("weekdays")


CALENDARS: Mapping[str, Callable[[], Calendar]] = {"cn": _chinese, "weekdays": _weekdays}


def calendar(name: str, overlay: Iterable[SpecialDay] = ()) -> Calendar:
    """The calendar `cn` (State Council notices, 2004 to 2026) or `weekdays` (Monday to Friday, any year), with an overlay.

    Raises BadInput for another name.
    """
    if name not in CALENDARS:
        raise BadInput(f"calendar: “{name}” 不存在，可用 cn 或 weekdays (no such calendar; use cn or weekdays)")
    days = tuple(overlay)
    return CALENDARS[name]().with_days(days) if days else CALENDARS[name]()


def read_special_days(text: str) -> tuple[SpecialDay, ...]:
    """The special days of a CSV text with the columns date (YYYY-MM-DD), kind (off or work), name.

    Raises BadInput with the line number.
    """
    days = []
    for number, row in enumerate(csv.DictReader(text.lstrip("\ufeff").splitlines()), start=2):
        try:
            special = SpecialDay(date.fromisoformat(row["date"]), row["kind"], row.get("name") or "")
        except (KeyError, TypeError, ValueError):
            raise BadInput(
                f"第 {number} 行须有 date（YYYY-MM-DD）、kind、name 三列 / line {number} needs the columns date (YYYY-MM-DD), kind, name"
            ) from None
        if special.kind not in ("off", "work"):
            raise BadInput(
                f"第 {number} 行的 kind 为“{special.kind}”，只能是 off 或 work / line {number}: kind is “{special.kind}”, not off or work"
            )
        days.append(special)
    return tuple(days)


def incomplete_years(days: Iterable[SpecialDay]) -> dict[int, tuple[date, ...]]:
    """The years that the days lie in but do not cover: year → feasts that are missing."""
    given = tuple(days)
    off, years = {special.day for special in given if special.kind == "off"}, sorted({special.day.year for special in given})
    missing = {year: tuple(date(year, *feast) for feast in FEASTS if date(year, *feast) not in off) for year in years}
    return {year: feasts for year, feasts in missing.items() if feasts}


def year_to_load(calendar: Calendar, today: date) -> int | None:
    """The first year whose calendar is to be loaded and is not: this one, from November on also the next (A42).

    Then the next year's notice is out, and deadlines soon reach into it.
    """
    years = (today.year, today.year + 1) if today.month >= NOTICE_MONTH else (today.year,)
    return next((year for year in years if calendar.years is not None and year not in calendar.years), None)


def _require(calendar: Calendar, day: date) -> None:
    if calendar.years is not None and day.year not in calendar.years:
        raise CalendarMissing(day.year)


def is_public_holiday(calendar: Calendar, day: date) -> bool:
    """Whether the day is off by a notice (weekend days inside a holiday count too). Raises CalendarMissing."""
    _require(calendar, day)
    return day in calendar.off


def is_working_day(calendar: Calendar, day: date) -> bool:
    """Whether the day is worked: Monday to Friday without holidays, and make-up days. Raises CalendarMissing."""
    _require(calendar, day)
    if day in calendar.off:
        return False
    return day.weekday() < SATURDAY or day in calendar.work


def add_working_days(calendar: Calendar, day: date, count: int) -> date:
    """The `count`-th working day after `day` (the day itself never counts; 0 gives the day). Raises CalendarMissing."""
    if count < 0:
        raise BadInput(f"count: {count} working days; needs 0 or more")
    _require(calendar, day)
    while count:
        day += ONE_DAY
        count -= is_working_day(calendar, day)
    return day


def working_days_between(calendar: Calendar, after: date, until: date) -> tuple[date, ...]:
    """The working days after one day up to and with another, make-up days among them. Raises CalendarMissing."""
    days = (after + timedelta(days=n) for n in range(1, (until - after).days + 1))
    return tuple(day for day in days if is_working_day(calendar, day))


def next_opening(calendar: Calendar, now: datetime, opening: time, zone: str) -> datetime:
    """When the next working day after the local day of `now` opens, as an aware time. Raises CalendarMissing."""
    tz = ZoneInfo(zone)
    return datetime.combine(add_working_days(calendar, now.astimezone(tz).date(), 1), opening, tz)


def deadline(calendar: Calendar, issued_at: datetime, count: int, zone: str) -> datetime:
    """The end (24:00 local) of the `count`-th working day after the local day of issue, as an aware time (R48)."""
    tz = ZoneInfo(zone)
    last = add_working_days(calendar, issued_at.astimezone(tz).date(), count)
    return datetime.combine(last + ONE_DAY, time.min, tz)
