"""The page of one ticket of the human queue: who has it, what was done, its order, and a second ticket of the same incident (O9, O28)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import desk_words, words
from ivr.console.access import DESK, INSPECTION, actor, role
from ivr.console.callbacks import CallbackOffer, offer_of
from ivr.console.escalations import DueDate, due_date, sees_inspection
from ivr.console.forms import NO_PROBLEM, Problem
from ivr.console.language import moment
from ivr.console.order_access import order_actor, unknown_noted
from ivr.console.rendering import render
from ivr.console.services import services
from survey import disclosure
from survey.casework import tickets as use_cases
from survey.casework.numbering import number_text
from survey.casework.tickets import Taken
from survey.errors import BadInput, CannotUnseal, NotAllowed
from survey.order_moves import Actor
from survey.store.models import TicketNote
from survey.store.queries import people
from survey.store.queries import tickets as queries
from survey.store.queries.tickets import NoteRow, TicketDetail
from survey.store.sealing import place

tickets = Blueprint("tickets", __name__)
MAY_WORK = (*DESK, INSPECTION)
Do = Callable[[Session, Actor, datetime], object]


@dataclass(frozen=True)
class Step:
    """One line of the history, opened."""

    row: NoteRow
    text: str


@dataclass(frozen=True)
class ToNote:
    """An order on which something has to be noted first."""

    public_id: str
    number: str


@dataclass(frozen=True)
class TicketPage:
    """One ticket. `is_mine`: the visitor has claimed it; `may_close`: no order has to be closed first.

    `may_merge`: a call back has no need of this very ticket. `to_note`: the order that waits to be told what came of this second call.
    """

    detail: TicketDetail
    steps: list[Step]
    due: DueDate
    names: Mapping[str, str]
    order_number: str
    is_mine: bool
    may_release: bool
    may_close: bool
    may_merge: bool
    to_note: ToNote | None
    longest: int
    callback: CallbackOffer | None = None
    problem: Problem = NO_PROBLEM


@tickets.get("/escalations/<public_id:public_id>")
@role(*MAY_WORK)
def show(public_id: str) -> str:
    """One ticket."""
    return render("tickets/show.html", _page(public_id))


@tickets.post("/escalations/<public_id:public_id>/claim")
@role(*MAY_WORK)
def claim(public_id: str) -> Response | tuple[str, int]:
    """Take it; who comes second reads who was first."""

    def do(session: Session, by: Actor, now: datetime) -> None:
        use_cases.claim(session, services().office, public_id, by, now)

    return _act(public_id, "claim", do, _("已领取。"))


@tickets.post("/escalations/<public_id:public_id>/release")
@role(*MAY_WORK)
def release(public_id: str) -> Response | tuple[str, int]:
    """Give it back to the queue."""

    def do(session: Session, by: Actor, now: datetime) -> None:
        use_cases.release(session, services().office, public_id, by, now)

    return _act(public_id, "release", do, _("已退回队列。"))


@tickets.post("/escalations/<public_id:public_id>/note")
@role(*MAY_WORK)
def note(public_id: str) -> Response | tuple[str, int]:
    """Write down what was done."""

    def do(session: Session, by: Actor, now: datetime) -> None:
        use_cases.note(session, services().office, public_id, by, request.form.get("text", ""), now)

    return _act(public_id, "note", do, _("已登记。"))


@tickets.post("/escalations/<public_id:public_id>/close")
@role(*MAY_WORK)
def close(public_id: str) -> Response | tuple[str, int]:
    """It is settled."""

    def do(session: Session, by: Actor, now: datetime) -> None:
        use_cases.close_ticket(session, services().office, public_id, by, request.form.get("text", ""), now)

    return _act(public_id, "close", do, _("已了结。"))


@tickets.post("/escalations/<public_id:public_id>/merge/<public_id:into>")
@role(*MAY_WORK)
def merge(public_id: str, into: str) -> Response | tuple[str, int]:
    """Put this second ticket of an incident into the first."""

    def do(session: Session, by: Actor, now: datetime) -> None:
        use_cases.merge(session, services().office, public_id, into, by, now)

    return _act(public_id, "merge", do, _("已合并。"), into)


def _act(public_id: str, form: str, do: Do, done: str, after: str = "") -> Response | tuple[str, int]:
    house = services()
    try:
        with unknown_noted(), house.unit_of_work() as work:
            do(work.session, order_actor(), house.clock.now())
    except Taken as taken:
        return render("tickets/show.html", _page(public_id, Problem(form, "", _taken(taken), request.form))), 409
    except BadInput as wrong:
        return render("tickets/show.html", _page(public_id, Problem(form, wrong.field, words.in_language(wrong), request.form))), 422
    except NotAllowed as refused:
        return render("tickets/show.html", _page(public_id, Problem(form, "", words.in_language(refused), request.form))), 409
    flash(done, "success")
    return redirect(url_for("tickets.show", public_id=after or public_id), 303)


def _taken(taken: Taken) -> str:
    with services().reads() as session:
        name = people.display_names(session, [taken.by]).get(taken.by, taken.by)
    return _("已由%(name)s于 %(time)s 领取。", name=name, time=moment(taken.at))


def _page(public_id: str, problem: Problem = NO_PROBLEM) -> TicketPage:
    house, reader = services(), order_actor()
    with unknown_noted(), house.reads() as session:
        found = use_cases.ticket(session, public_id, reader)
        is_free = not use_cases.waits_for_order(session, found)
        is_second, waiting = use_cases.is_of_second_call(session, found), use_cases.order_to_note(session, found, reader)
        to_note = ToNote(waiting.public_id, number_text(waiting.year, waiting.serial)) if waiting else None
        detail = queries.detail(session, found, sees_inspection())
        callback = offer_of(session, found, house.clock.now())
        names = people.display_names(session, {*(one.by for one in detail.notes), detail.case.claimed_by or ""})
    case, order = detail.case, detail.order
    holder, is_open = case.claimed_by, case.state == "open"
    return TicketPage(
        detail, [Step(row, _opened(row)) for row in detail.notes], due_date(case, house.clock.now(), house.office.bureau.tzinfo), names,
        number_text(order.year, order.serial) if order else "", holder == actor(),
        is_open and holder is not None and (holder == actor() or reader.role in use_cases.RELEASERS),
        is_open and is_free and not to_note and holder in (None, actor()), is_open and not order and not is_second, to_note,
        use_cases.LONGEST_NOTE, callback, problem,
    )  # fmt: skip


def _opened(row: NoteRow) -> str:
    try:
        text = services().office.keys.open(row.text, place(TicketNote.__tablename__, "text_sealed", row.public_id)) or ""
    except CannotUnseal:
        return disclosure.UNREADABLE
    return str(words.say({**desk_words.RESULTS, **desk_words.UNREACHED}, text)) if row.what == "not_reached" else text
