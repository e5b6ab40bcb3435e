"""The refusal list: who must not be called, written down by people and lifted by administrators (R16)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import ADMINISTRATOR, DESK, actor, role
from ivr.console.escalations import Tab, sees_inspection
from ivr.console.forms import LONGEST_REASON, NO_PROBLEM, Problem
from ivr.console.rendering import render
from ivr.console.services import services
from survey import disclosure
from survey.errors import BadInput, NotAllowed
from survey.fieldwork import suppressions as use_cases
from survey.phone import mask
from survey.store.queries import suppressions as queries
from survey.store.queries.console_cases import Paged
from survey.store.queries.suppressions import LIFTED, STANDING, SuppressionRow

suppressions = Blueprint("suppressions", __name__)
LONGEST_NUMBER = 64
LARGEST_ID = 2**63 - 1
TABS = {STANDING: _l("有效"), LIFTED: _l("已解除")}


@dataclass(frozen=True)
class Entry:
    """One entry as shown: the number's last digits where they may be known, how it came, by whom; the page of the call, if any."""

    number: int
    digits: str
    source: str
    by: str
    at: datetime
    call: str | None
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None


@dataclass(frozen=True)
class SuppressionsPage:
    """One page of one tab; or, without a tab, the entries of the number that was looked for (its last digits: `searched`)."""

    tabs: list[Tab]
    tab: str
    entries: list[Entry]
    paged: Paged | None
    sources: list[tuple[str, str]]
    searched: str = ""
    problem: Problem = NO_PROBLEM


@suppressions.get("/suppressions")
@role(*DESK)
def index() -> str:
    """The entries that stand, or those that were lifted; tab and page stand in the address."""
    asked = request.args.get("tab", STANDING)
    return _page(asked if asked in TABS else STANDING, request.args.get("page", 1, int))


@suppressions.post("/suppressions")
@role(*DESK)
def register() -> Response | tuple[str, int]:
    """Write down that the owner of a number asked not to be called."""
    house, source = services(), request.form.get("source", "")
    try:
        with house.unit_of_work() as work:
            use_cases.register(work.session, house.office, _typed(), actor(), house.clock.now(), source)
        flash(_("已登记，即刻生效：此号码不再拨打。"), "success")
    except BadInput as wrong:
        return _page(problem=Problem("register", wrong.field, words.in_language(wrong), request.form)), 422
    except NotAllowed as wrong:
        flash(words.in_language(wrong), "danger")
    return redirect(url_for("suppressions.index"), 303)


@suppressions.post("/suppressions/search")
@role(*DESK)
def search() -> str | tuple[str, int]:
    """The history of a number, found by its keyed hash; posted, so that the number stands in no address and no log (R63)."""
    house = services()
    try:
        number = use_cases.checked(house.office, _typed())
    except BadInput as wrong:
        return _page(problem=Problem("search", wrong.field, words.in_language(wrong), request.form)), 422
    with house.reads() as session:
        return _found(session, queries.of_number(session, house.office.keys.phone_key(number), sees_inspection()), mask(number))


@suppressions.post(f"/suppressions/<int(max={LARGEST_ID}):number>/lift")
@role(ADMINISTRATOR)
def lift(number: int) -> Response | tuple[str, int]:
    """Let later draws choose the number again, with a reason; refused, the page shows this entry alone."""
    house, reason = services(), request.form.get("reason", "").strip()[:LONGEST_REASON]
    try:
        with house.unit_of_work() as work:
            use_cases.lift(work.session, house.office, number, actor(), reason, house.clock.now())
        flash(_("已解除：此号码可再次被抽中；已结束的受访人不再拨打。"), "success")
    except BadInput as wrong:
        problem = Problem(f"lift-{number}", wrong.field, words.in_language(wrong), request.form)
        with house.reads() as session:
            return _found(session, queries.one(session, number, sees_inspection()), problem=problem), 422
    except NotAllowed as wrong:
        flash(words.in_language(wrong), "danger")
    return redirect(url_for("suppressions.index"), 303)


def _typed() -> str:
    return request.form.get("number", "").strip()[:LONGEST_NUMBER]


def _page(tab: str = STANDING, page: int = 1, problem: Problem = NO_PROBLEM) -> str:
    with services().reads() as session:
        paged, tabs = queries.suppressions(session, tab, page, sees_inspection()), _tabs(session)
    return _render(SuppressionsPage(tabs, tab, _entries(paged.rows), paged, _sources(), problem=problem))


def _found(session: Session, rows: Sequence[SuppressionRow], searched: str = "", problem: Problem = NO_PROBLEM) -> str:
    return _render(SuppressionsPage(_tabs(session), "", _entries(rows, searched), None, _sources(), searched, problem))


def _render(page: SuppressionsPage) -> str:
    return render("suppressions/index.html", page)


def _tabs(session: Session) -> list[Tab]:
    return [Tab(kind, str(label), queries.count(session, kind)) for kind, label in TABS.items()]


def _sources() -> list[tuple[str, str]]:
    return [(source, words.refusal_source(source)) for source in use_cases.BY_HAND]


def _entries(rows: Sequence[SuppressionRow], digits: str = "") -> list[Entry]:
    """The rows as shown; `digits`: the visitor has typed the number, and knows it."""
    return [_entry(row, digits) for row in rows]


def _entry(row: SuppressionRow, digits: str) -> Entry:
    source, by = use_cases.source_of(row.reason)
    known = row.phone
    shown = disclosure.last_digits(services().office.keys, known.sealed, known.incident) if known else ""
    return Entry(row.id, digits or shown, words.refusal_source(source), by, row.at, row.call, row.lifted_at, row.lifted_by, row.lift_reason)
