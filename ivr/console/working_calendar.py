"""The calendar of working days in force: a year at a glance, a table imported, a day set by hand (R48, A42)."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask import session as login_cookie
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import ADMINISTRATOR, OPEN_ENDPOINTS, actor, role
from ivr.console.forms import LONGEST_REASON, NO_PROBLEM, Problem
from ivr.console.language import WEEKDAYS
from ivr.console.rendering import render
from ivr.console.services import services
from ivr.console.uploads import received, takes_file
from survey import calendar_days as use_cases
from survey import calendar_table
from survey.casework.retiming import Retimed
from survey.errors import BadInput, NotAllowed
from survey.incidents.records import Rejection
from survey.order_clock import last_day
from survey.store.calendar_overlay import keep_current
from survey.store.models import CalendarDay
from survey.store.queries import calendar_days as queries
from survey.working_days import SATURDAY, Calendar, CalendarMissing, calendar, shipped, year_to_load

calendar_pages = Blueprint("calendar", __name__)
MOST_SHOWN = 100
FEASTS = {
    "New Year's Day": _l("元旦"), "Spring Festival": _l("春节"), "Tomb-sweeping Day": _l("清明节"), "Labour Day": _l("劳动节"),
    "Dragon Boat Festival": _l("端午节"), "Mid-autumn Festival": _l("中秋节"), "National Day": _l("国庆节"),
}  # fmt: skip
"""The names of the shipped days; those of a table are shown as they stand there."""


@dataclass(frozen=True)
class DayRow:
    """One day that departs from its weekday, or is said not to: where that comes from, by whom, when and why."""

    day: date
    weekday: str
    kind: str
    name: str
    source: str
    by: str
    at: datetime | None
    reason: str


@dataclass(frozen=True)
class CalendarPage:
    """One year: its days, how many are worked, and the years that are loaded; `missing` is the year that is asked for (A42)."""

    year: int
    years: list[int]
    is_loaded: bool
    rows: list[DayRow]
    worked: list[int]
    missing: int | None
    rejections: Sequence[Rejection] = ()
    rejected: int = 0
    problem: Problem = field(default=NO_PROBLEM)


def take_up() -> None:
    """Before a page that somebody logged in asks for: what another process has changed holds in this one too."""
    if "token" in login_cookie and request.endpoint not in OPEN_ENDPOINTS:
        with services().reads() as session:
            keep_current(session)


@calendar_pages.get("/calendar")
@role(ADMINISTRATOR)
def index() -> str:
    """A year of the calendar."""
    return _page(request.args.get("year", 0, int))


@calendar_pages.post("/calendar/import")
@role(ADMINISTRATOR)
@takes_file(calendar_table.LIMITS.sheet_bytes, "calendar.index")
def load() -> Response | tuple[str, int]:
    """Load a table for the years that it holds; with a single faulty line nothing is loaded, and each is listed."""
    house = services()
    try:
        with received("file") as upload:
            table = calendar_table.read_table(upload.path)
        if table.rejections:
            problem = Problem("import", "file", _("%(count)s 行有误，未导入任何一天。", count=len(table.rejections)))
            return _page(0, problem=problem, rejections=table.rejections), 422
        with house.unit_of_work() as work:
            loaded = use_cases.load_table(work.session, house.office, table, upload.name, actor(), house.clock.now())
    except (BadInput, CalendarMissing, NotAllowed) as wrong:
        return _page(0, problem=Problem("import", "file", words.in_language(wrong))), 422
    years = _("、").join(str(year) for year in loaded.years)
    flash(_("已导入 %(years)s 年的安排，共 %(days)s 天。", years=years, days=loaded.days), "success")
    if loaded.kept:
        flash(_("手工设定的 %(count)s 天保持不变。", count=len(loaded.kept)), "warning")
    return _done(loaded.years[-1], loaded.moved)


@calendar_pages.post("/calendar/change")
@role(ADMINISTRATOR)
def change() -> Response | tuple[str, int]:
    """Set one day by hand, with a reason."""
    house, typed = services(), request.form
    try:
        day = _day(typed.get("day", ""))
    except ValueError:
        return _page(0, problem=Problem("change", "day", _("请填写日期，如 2027-01-04"), typed)), 422
    try:
        with house.unit_of_work() as work:
            moved = use_cases.set_day(
                work.session, house.office, day, typed.get("kind", ""), typed.get("name", ""), typed.get("reason", "")[:LONGEST_REASON],
                actor(), house.clock.now(),
            )  # fmt: skip
    except BadInput as wrong:
        return _page(day.year, problem=Problem("change", wrong.field, words.in_language(wrong), typed)), 422
    except (CalendarMissing, NotAllowed) as wrong:
        return _page(day.year, problem=Problem("change", "day", words.in_language(wrong), typed)), 422
    flash(_("已更改 %(day)s。", day=day.isoformat()), "success")
    return _done(day.year, moved)


def _done(year: int, moved: Sequence[Retimed]) -> Response:
    """Back to the year; what became of the orders is said, and this process knows the change at once."""
    terms = services().office.terms
    with services().reads() as session:
        keep_current(session, at_once=True)
    shown = [one for one in moved if not one.is_hidden]
    for one in shown[:MOST_SHOWN]:
        before, after = (last_day(terms, due_at).isoformat() for due_at in (one.due_before, one.due_at))
        flash(_("交办单 %(number)s 的期限由 %(before)s 顺延至 %(after)s。", number=one.number, before=before, after=after), "warning")
    if len(moved) > len(shown):
        flash(_("另有 %(count)s 张督察件的期限顺延。", count=len(moved) - len(shown)), "warning")
    if not moved:
        flash(_("在办交办单的期限没有变化。"), "success")
    return redirect(url_for("calendar.index", year=year), 303)


def _day(text: str) -> date:
    day = date.fromisoformat(text.strip())
    if not calendar_table.FIRST_YEAR <= day.year <= calendar_table.LAST_YEAR:
        raise ValueError(text)
    return day


def _page(asked: int, *, problem: Problem = NO_PROBLEM, rejections: Sequence[Rejection] = ()) -> str:
    house = services()
    today = house.clock.now().astimezone(house.office.bureau.tzinfo).date()
    in_force = calendar("cn")
    missing, loaded = year_to_load(in_force, today), sorted(in_force.years or ())
    years = sorted({*(year for year in loaded if year >= today.year - 3), today.year, today.year + 1})
    year = asked if asked in years or asked in loaded else today.year
    with house.reads() as session:
        rows = _rows(in_force, year, queries.days_of_year(session, year))
    is_loaded = year in loaded
    worked = [_worked(in_force, year, month) for month in range(1, 13)] if is_loaded else []
    return render(
        "calendar/index.html",
        CalendarPage(year, years, is_loaded, rows, worked, missing, rejections[:MOST_SHOWN], len(rejections), problem),
    )


def _rows(in_force: Calendar, year: int, stored: Sequence[CalendarDay]) -> list[DayRow]:
    entered = {each.day: each for each in stored}
    special = {day for day in (*in_force.off, *in_force.work) if day.year == year}
    by_hand = {day for day, each in entered.items() if not each.source}
    return [_row(in_force, day, entered.get(day)) for day in sorted(special | by_hand)]


def _row(in_force: Calendar, day: date, entered: CalendarDay | None) -> DayRow:
    kind = "off" if day in in_force.off else "work" if day in in_force.work else "rule"
    named = in_force.off.get(day) or in_force.work.get(day) or ""
    name = words.say(FEASTS, named)
    weekday = str(WEEKDAYS[day.weekday()])
    if entered is None:
        is_shipped = (day in shipped().off, day in shipped().work) == (kind == "off", kind == "work")
        return DayRow(day, weekday, kind, name, _("自带") if is_shipped else "HUIFANG_SPECIAL_DAYS", "", None, "")
    return DayRow(day, weekday, kind, name, entered.source or _("手工设定"), entered.by, entered.at, entered.reason)


def _worked(in_force: Calendar, year: int, month: int) -> int:
    """Working days of a month of a loaded year."""
    days = (date(year, month, number) for number in range(1, monthrange(year, month)[1] + 1))
    return sum(day not in in_force.off and (day.weekday() < SATURDAY or day in in_force.work) for day in days)
