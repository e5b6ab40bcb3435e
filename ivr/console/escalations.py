"""The human queue: who waits for a person, nearest deadline first (O28–O30)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, request
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from ivr.console.access import DESK, INSPECTION, actor, role, visitor
from ivr.console.rendering import render
from ivr.console.services import services
from survey.store.queries import console_cases, people
from survey.store.queries.console_cases import CaseRow, Deadlines, Paged
from survey.working_days import CalendarMissing, calendar, working_days_between

escalations = Blueprint("escalations", __name__)

TABS: dict[str, LazyString] = {
    "open": _l("待处理"),
    "mine": _l("我的"),
    "unclaimed": _l("待领"),
    "today": _l("今日到期"),
    "overdue": _l("逾期"),
    "recall": _l("待再访"),
    "closed": _l("已办结"),
}
SORTS: dict[str, LazyString] = {"due": _l("按期限"), "priority": _l("按紧急程度"), "opened": _l("按等待时长")}
LONGEST_NUMBER = 64
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DueDate:
    """A deadline as people read it: the last day `on`, and the working days left or over with the days counted; None: not to be known."""

    on: datetime | None
    overdue: bool
    days_left: int | None
    counted: tuple[date, ...] = ()


@dataclass(frozen=True)
class Tab:
    """A tab with the number of its rows."""

    key: str
    label: str
    count: int


@dataclass(frozen=True)
class Line:
    """A case with its deadline and the whole hours that it has waited."""

    case: CaseRow
    due: DueDate
    hours: int


@dataclass(frozen=True)
class QueuePage:
    """One page of one tab of the queue."""

    tabs: list[Tab]
    tab: str
    sorts: list[tuple[str, str]]
    sort: str
    lines: list[Line]
    paged: Paged
    names: Mapping[str, str]
    number: str = ""


@escalations.get("/escalations")
@role(*DESK, INSPECTION)
def index() -> str:
    """The queue; tab, sort, number and page stand in the address. A number is looked for in the first tab that has it."""
    sort, number = _known(request.args.get("sort"), SORTS, "due"), number_asked()
    house = services()
    now, zone = house.clock.now(), house.office.bureau.tzinfo
    when = Deadlines(now, _midnight_after(now, zone))
    with house.reads() as session:
        counts = console_cases.tab_counts(session, when, sees_inspection(), actor(), number)
        first = next((key for key in TABS if number and counts[key]), "open")
        tab = _known(request.args.get("tab"), TABS, first)
        paged = console_cases.cases(session, tab, sort, request.args.get("page", 1, int), when, sees_inspection(), actor(), number)
        names = people.display_names(session, {case.claimed_by for case in paged.rows if case.claimed_by})
    tabs = [Tab(key, str(label), counts[key]) for key, label in TABS.items()]
    lines = [Line(case, due_date(case, now, zone), _hours(now - case.opened_at)) for case in paged.rows]
    return render("escalations/index.html", QueuePage(
        tabs, tab, [(key, str(label)) for key, label in SORTS.items()], sort, lines, paged, names, number
    ))  # fmt: skip


def number_asked() -> str:
    """The number that the address asks for, or a part of one."""
    return request.args.get("number", "").strip()[:LONGEST_NUMBER]


def sees_inspection() -> bool:
    """Whether the visitor may know of cases that went to inspection: its own people alone (R35)."""
    person = visitor()
    return person is not None and person.role == INSPECTION


def due_date(case: CaseRow, now: datetime, zone: ZoneInfo) -> DueDate:
    """The case's deadline in words; one at midnight means the end of the day before. 0 days left: today is the last."""
    due_at = case.due_at
    if due_at is None:
        return DueDate(None, False, None)
    last = due_at.astimezone(zone) - timedelta(microseconds=1)
    if due_at <= now:
        return DueDate(last, True, None)
    try:
        counted = working_days_between(calendar(case.calendar), now.astimezone(zone).date(), last.date())
        return DueDate(last, False, len(counted), counted)
    except CalendarMissing:
        return DueDate(last, False, None)


def _midnight_after(now: datetime, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    return (local + ONE_DAY).replace(hour=0, minute=0, second=0, microsecond=0)


def _hours(waited: timedelta) -> int:
    return max(0, int(waited.total_seconds() // 3600))


def _known(asked: str | None, table: dict[str, LazyString], default: str) -> str:
    return asked if asked in table else default
