"""Ticked rows of the lists: remind, print, issue, assign. First a page says what will happen to each and what is refused (O36)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import ADMINISTRATOR, CENTRE, INSPECTION, local_address, note_refusal, role
from ivr.console.forms import NO_PROBLEM, Problem
from ivr.console.language import current_language
from ivr.console.order_access import MAY_ISSUE, order_actor
from ivr.console.order_documents import READERS
from ivr.console.rendering import render
from ivr.console.services import services
from survey import casework
from survey.casework import bulk as use_cases
from survey.casework import tickets
from survey.casework.bulk import Prospect
from survey.casework.papers import order_paper
from survey.errors import BadInput
from survey.order_moves import Actor
from survey.paper.content import Paper

bulk = Blueprint("bulk", __name__)
MAY_URGE = (CENTRE, INSPECTION)
MAY_ASSIGN = (ADMINISTRATOR, CENTRE, INSPECTION)
Rows = Callable[[Session, Sequence[str], Actor], list[Prospect]]
Do = Callable[[Session, str, Actor, datetime], object]


@dataclass(frozen=True)
class ConfirmPage:
    """What will happen: to the `ready` rows it does, the `refused` ones say why not. `people`: whom tickets can be given to."""

    deed: str
    address: str
    back: str
    ready: list[Prospect]
    refused: list[Prospect]
    people: list[tuple[str, str]]
    problem: Problem = NO_PROBLEM


@dataclass(frozen=True)
class PrintPage:
    """Several orders on paper, and which of the ticked ones are not among them."""

    papers: list[Paper]
    refused: list[Prospect]
    back: str


@bulk.get("/orders/bulk/urge")
@role(*MAY_URGE)
def show_urge() -> Response:
    """Which offices will be reminded."""
    return _confirm("urge", use_cases.orders_named, _may_urge)


@bulk.post("/orders/bulk/urge")
@role(*MAY_URGE)
def urge() -> Response:
    """Remind them."""

    def do(session: Session, order_id: str, by: Actor, now: datetime) -> None:
        casework.urge(session, services().office, order_id, by, services().office.terms, now)

    return _carry_out(use_cases.orders_named, do, lambda count: ngettext("已催办 %(num)s 件。", "已催办 %(num)s 件。", count))


@bulk.get("/orders/bulk/issue")
@role(*MAY_ISSUE)
def show_issue() -> Response:
    """Which cases will get their order."""
    return _confirm("issue", use_cases.tickets_named, _may_issue)


@bulk.post("/orders/bulk/issue")
@role(*MAY_ISSUE)
def issue() -> Response:
    """Issue them."""

    def do(session: Session, case_id: str, by: Actor, now: datetime) -> None:
        office = services().office
        casework.issue(session, office, tickets.ticket(session, case_id, by), by, office.terms, now)

    return _carry_out(use_cases.tickets_named, do, lambda count: ngettext("已下发 %(num)s 张交办单。", "已下发 %(num)s 张交办单。", count))


@bulk.get("/escalations/bulk/assign")
@role(*MAY_ASSIGN)
def show_assign() -> Response:
    """Which tickets can be given to somebody."""
    return _confirm("assign", use_cases.tickets_named, _is_open)


@bulk.post("/escalations/bulk/assign")
@role(*MAY_ASSIGN)
def assign() -> Response:
    """Give them to the one chosen."""
    with services().reads() as session:
        known = {to.name: to for to, _name in tickets.assignees(session, order_actor())}
    to = known.get(request.form.get("to", ""))
    if to is None:
        return _confirm("assign", use_cases.tickets_named, _is_open, Problem("assign", "to", _("请选择办理人。"), request.form))

    def do(session: Session, ticket_id: str, by: Actor, now: datetime) -> None:
        tickets.assign(session, services().office, ticket_id, by, to, now)

    return _carry_out(use_cases.tickets_named, do, lambda count: ngettext("已指派 %(num)s 件。", "已指派 %(num)s 件。", count))


@bulk.get("/orders/bulk/print")
@role(*READERS)
def show_print() -> Response:
    """Which orders will be printed."""
    return _confirm("print", use_cases.orders_named, lambda *_told: None)


@bulk.post("/orders/bulk/print")
@role(*READERS)
def print_() -> str | Response:
    """The orders one after the other on A4, without name and number of the persons; each is in the trail."""
    papers: list[Paper] = []

    def do(session: Session, order_id: str, by: Actor, now: datetime) -> None:
        office = services().office
        papers.append(order_paper(session, office, order_id, by, office.terms, now, kind="print", language=current_language()))

    try:
        done = _tried(use_cases.orders_named, do)
    except BadInput as wrong:
        return _turned_back(wrong)
    return render("bulk/print.html", PrintPage(papers, _refused(done), _back()))


# ── what is asked for, and what comes of it ──────────────────────────────────────────────────────────


def _may_urge(session: Session, order_id: str, by: Actor, now: datetime) -> None:
    casework.may_urge(session, order_id, by, services().office.terms, now)


def _may_issue(session: Session, case_id: str, by: Actor, now: datetime) -> None:
    casework.may_issue(session, tickets.ticket(session, case_id, by), by, services().office.terms, now)


def _is_open(session: Session, ticket_id: str, by: Actor, now: datetime) -> None:
    tickets.check_open(tickets.ticket(session, ticket_id, by))


def _confirm(deed: str, rows: Rows, allowed: Do, problem: Problem = NO_PROBLEM) -> Response:
    try:
        page = _page(deed, rows, allowed, problem)
    except BadInput as wrong:
        return _turned_back(wrong)
    return make_response(render("bulk/confirm.html", page), 422 if problem is not NO_PROBLEM else 200)


def _page(deed: str, rows: Rows, allowed: Do, problem: Problem) -> ConfirmPage:
    """Raises BadInput."""
    house, by, ids = services(), order_actor(), request.values.getlist("id")
    now = house.clock.now()
    with house.reads() as session:
        looked = use_cases.each(rows(session, use_cases.chosen(ids), by), lambda one: allowed(session, one, by, now))
        people = [(to.name, name) for to, name in tickets.assignees(session, by)] if deed == "assign" else []
    _note_unknown(looked)
    address = url_for(f"bulk.{'print_' if deed == 'print' else deed}")
    return ConfirmPage(deed, address, _back(), [one for one in looked if not one.refusal], _refused(looked), people, problem)


def _carry_out(rows: Rows, do: Do, told: Callable[[int], str]) -> Response:
    """Do it to each row by itself, say how many were done, and of the others why not."""
    try:
        done = _tried(rows, do)
    except BadInput as wrong:
        return _turned_back(wrong)
    count = sum(not one.refusal for one in done)
    if count:
        flash(told(count), "success")
    for one in _refused(done):
        flash(_("未办：%(label)s，%(why)s。", label=one.label, why=words.in_language(one.refusal)), "danger")
    return redirect(_back(), 303)


def _tried(rows: Rows, do: Do) -> list[Prospect]:
    """Raises BadInput."""
    house, by, ids = services(), order_actor(), use_cases.chosen(request.form.getlist("id"))
    now = house.clock.now()
    with house.unit_of_work() as work:
        session = work.session
        done = use_cases.each(rows(session, ids, by), lambda one: do(session, one, by, now))
    _note_unknown(done)
    return done


def _note_unknown(rows: Sequence[Prospect]) -> None:
    """An id that nobody was shown is no slip: it is written down who asked (R12)."""
    if any(one.label == Prospect("").label for one in rows):
        note_refusal()


def _refused(rows: Sequence[Prospect]) -> list[Prospect]:
    return [one for one in rows if one.refusal]


def _turned_back(wrong: BadInput) -> Response:
    flash(words.in_language(wrong), "danger")
    return redirect(_back(), 303)


def _back() -> str:
    return local_address(request.values.get("back"))
