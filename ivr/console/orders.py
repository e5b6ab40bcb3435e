"""Orders 《接处警电话回访交办单》: the lists by tab, one order with all that it holds, and the issuing of one by hand (O28–O39, R47)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import order_words, words
from ivr.console.access import UNIT, role
from ivr.console.escalations import DueDate, Tab, number_asked
from ivr.console.forms import Problem
from ivr.console.order_access import MAY_DISCLOSE, MAY_ISSUE, MAY_READ, order_actor, unknown_noted
from ivr.console.order_page import due_of, no_calendar, order_page, shown
from ivr.console.remarks import Choice
from ivr.console.rendering import render
from ivr.console.services import services
from survey import casework
from survey.casework.numbering import number_of, number_text
from survey.casework.tickets import ticket
from survey.errors import BadInput, NotAllowed
from survey.order_clock import Terms, due, tonight
from survey.order_moves import STATES, Actor
from survey.store.queries import order_lists
from survey.store.queries.console_cases import PAGE, Paged, within
from survey.store.queries.order_lists import Filters, Moments, OrderRow
from survey.store.queries.orders import Waiting
from survey.working_days import CalendarMissing

orders = Blueprint("orders", __name__)
UNMASKED_SECONDS = 30
TO_ISSUE = "to_issue"
UNIT_TABS = ("running", "to_sign", "today", "overdue", "returned", "answered", "ended", "all")
DESK_TABS = ("running", "today", "soon", "overdue", "requests", "answered", "recalling", "supervised", "ended", "all")


@dataclass(frozen=True)
class Line:
    """An order as a row of the list."""

    row: OrderRow
    number: str
    due: DueDate


@dataclass(frozen=True)
class WaitingLine:
    """A case without an order: why it has none, and whether the visitor may issue it."""

    case: Waiting
    why: str
    may_issue: bool


@dataclass(frozen=True)
class OrdersPage:
    """One page of one tab; `kept` are filters and sort for the links to other tabs and pages."""

    tabs: list[Tab]
    tab: str
    sorts: list[tuple[str, str]]
    sort: str
    filters: list[Choice]
    kept: dict[str, str]
    lines: list[Line]
    waiting: list[WaitingLine]
    paged: Paged
    is_unit: bool
    number: str = ""


@orders.get("/orders")
@role(*MAY_READ)
def index() -> str:
    """The list; tab, sort, filters, number and page stand in the address (O29). A number is looked for in all orders.

    Where none has it, a case that waits for its order may.
    """
    house, reader = services(), order_actor()
    now, terms = house.clock.now(), house.office.terms
    known = UNIT_TABS if reader.role == UNIT else DESK_TABS
    asked, page = request.args.get("tab", ""), request.args.get("page", 1, int)
    when = moments(terms, now)
    with house.reads() as session:
        filters = _filters(session, reader)
        kept = {each.name: each.chosen for each in filters if each.chosen}
        number = number_asked()
        narrowed, sort = _narrowed(kept, number), request.args.get("sort", "")
        sort = sort if sort in order_lists.SORTS else "due"
        kept |= ({"sort": sort} if sort != "due" else {}) | ({"number": number} if number else {})
        inspection = reader.role == "inspection"
        cases = [] if reader.role == UNIT else casework.cases_without_order(session, inspection=inspection, number=number)
        counts = order_lists.tab_counts(session, reader, known, narrowed, when)
        found_in = TO_ISSUE if cases and not counts[known[-1]] else known[-1]
        tab = asked if asked in known or (asked == TO_ISSUE and reader.role != UNIT) else found_in if number else known[0]
        paged = _page_of(cases, page) if tab == TO_ISSUE else order_lists.orders(session, reader, tab, narrowed, when, page, sort)
    return render("orders/index.html", OrdersPage(
        [*([] if reader.role == UNIT else [_tab(TO_ISSUE, len(cases))]), *(_tab(each, counts[each]) for each in known)], tab,
        [(key, str(word)) for key, word in order_words.SORTS.items() if key != "unit" or reader.role != UNIT], sort,
        filters, kept, [] if tab == TO_ISSUE else [_line(row, terms, now) for row in paged.rows],
        [_waiting(case, reader, terms, now) for case in paged.rows] if tab == TO_ISSUE else [], paged, reader.role == UNIT, number,
    ))  # fmt: skip


@orders.get("/orders/<public_id:public_id>")
@role(*MAY_READ)
def show(public_id: str) -> str:
    """One order: its facts, its replies, its history, and what the visitor may do now."""
    return shown(order_page(public_id))


@orders.post("/orders/<public_id:public_id>/contact")
@role(*MAY_DISCLOSE)
def contact(public_id: str) -> Response | tuple[str, int]:
    """Name and number of a person who agreed to be contacted, once, against a reason; hidden again after half a minute (R33, R63)."""
    house = services()
    try:
        with unknown_noted(), house.unit_of_work() as work:
            reason = request.form.get("reason", "")
            person = casework.disclose_contact(work.session, house.office, public_id, order_actor(), reason, house.clock.now())
    except BadInput as wrong:
        return shown(order_page(public_id, Problem("contact", wrong.field, words.in_language(wrong), request.form))), 422
    except NotAllowed as refused:
        return shown(order_page(public_id, Problem("contact", "", words.in_language(refused), request.form))), 409
    back = url_for("orders.show", public_id=public_id)
    page = shown(order_page(public_id, contact=person))
    return Response(page, mimetype="text/html", headers={"Refresh": f"{UNMASKED_SECONDS}; url={back}"})


@orders.post("/orders/cases/<public_id:public_id>/issue")
@role(*MAY_ISSUE)
def issue(public_id: str) -> Response:
    """Issue the order of a case by hand; where it has one, that is shown."""
    house, by = services(), order_actor()
    try:
        with unknown_noted(), house.unit_of_work() as work:
            case = ticket(work.session, public_id, by)
            order = casework.issue(work.session, house.office, case, by, house.office.terms, house.clock.now())
            order_id, number = order.public_id, number_text(order.year, order.serial)
    except NotAllowed as refused:
        flash(words.in_language(refused), "danger")
        return redirect(url_for("orders.index", tab=TO_ISSUE), 303)
    except CalendarMissing as missing:
        flash(no_calendar(missing), "danger")
        return redirect(url_for("orders.index", tab=TO_ISSUE), 303)
    flash(_("已下发交办单 %(number)s。", number=number), "success")
    return redirect(url_for("orders.show", public_id=order_id), 303)


def moments(terms: Terms, now: datetime) -> Moments:
    """What is due today and what is due soon: by the end of the next working day, of the next day where no calendar tells."""
    end = tonight(terms, now)
    try:
        return Moments(now, end, due(terms, now, 1))
    except CalendarMissing:
        return Moments(now, end, end + timedelta(days=1))


# ── what is asked for ────────────────────────────────────────────────────────────────────────────────


def _filters(session: Session, reader: Actor) -> list[Choice]:
    units = [] if reader.role == UNIT else order_lists.units_with_orders(session, reader)
    months = order_lists.months_of_orders(session, reader, services().office.bureau.tzinfo)
    found = [
        _choice("unit", _("责任单位"), [(str(unit), name) for unit, name in units]),
        _choice("month", _("下发月份"), [(month, month) for month in months]),
        _choice("state", _("状态"), order_words.choices(STATES)),
    ]
    return found[1:] if reader.role == UNIT else found


def _choice(name: str, label: str, offered: list[tuple[str, str]]) -> Choice:
    asked = request.args.get(name, "")
    return Choice(name, label, offered, asked if asked in dict(offered) else "")


def _narrowed(kept: dict[str, str], number: str) -> Filters:
    unit, serial = kept.get("unit"), number_of(number)
    return Filters(
        int(unit) if unit else None, kept.get("month"), kept.get("state"), number or None, serial, services().office.bureau.tzinfo
    )


# ── what is shown ────────────────────────────────────────────────────────────────────────────────────


def _tab(key: str, count: int) -> Tab:
    return Tab(key, str(order_words.TABS[key]), count)


def _page_of(cases: list[Waiting], page: int) -> Paged:
    number = within(page, len(cases))
    return Paged(cases[(number - 1) * PAGE : number * PAGE], number, len(cases))


def _line(row: OrderRow, terms: Terms, now: datetime) -> Line:
    return Line(row, number_text(row.year, row.serial), due_of(row.due_at, row.state, terms, now))


def _waiting(case: Waiting, reader: Actor, terms: Terms, now: datetime) -> WaitingLine:
    is_ready = case.is_settled and (case.has_unit or case.route == "inspection")
    mine = reader.role == ("inspection" if case.route == "inspection" else "centre")
    return WaitingLine(case, str(_why(case, terms, now)), is_ready and mine)


def _why(case: Waiting, terms: Terms, now: datetime) -> str | LazyString:
    """Why the case has no order yet."""
    if not case.is_settled:
        return _("通话尚未结束或结果未定")
    if not case.has_unit and case.route != "inspection":
        return _("警情未指定办理单位，无处可下发")
    try:
        due(terms, now, terms.days)
    except CalendarMissing as missing:
        return _("缺少 %(year)s 年节假日安排，无法推算期限", year=missing.year)
    return _("待人工审核下发") if terms.review else _("即将自动下发")
