"""The page of one order, and the one way in which it is changed: what was typed is never lost (O32, O33, O38)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from flask import abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import drafts, order_words, words
from ivr.console.drafts import Typed
from ivr.console.escalations import DueDate
from ivr.console.forms import NO_PROBLEM, Problem
from ivr.console.notice_words import kind_of
from ivr.console.order_access import order_actor, unknown_noted
from ivr.console.remarks import MAY_READ as MAY_LISTEN
from ivr.console.rendering import render
from ivr.console.services import services
from ivr.console.tags import Tag
from ivr.console.uploads import LARGEST_UPLOAD, MOST_AT_ONCE
from survey import casework
from survey.casework import Contact, OrderView, Overtaken, RecallView
from survey.casework.attachments import LARGEST
from survey.casework.papers import quotes_of
from survey.casework.views import EventView
from survey.drafts import NOTHING
from survey.errors import BadInput, NotAllowed
from survey.order_clock import LAST_MOMENT, Terms, days_counted
from survey.order_moves import MOVES, PARTIES, RUNNING, Actor
from survey.order_replies import CAUSES, FAULTS, FINDINGS
from survey.orders import GROUNDS
from survey.paper.content import Quote
from survey.store.queries import notices, people, register
from survey.working_days import CalendarMissing

Do = Callable[[Session, Actor, int, datetime], object]
"""What to do with the order: in this session, by this actor, from this version on, now."""
RATED = ("speed", "attitude", "outcome", "equipment", "appearance")
APART = ("csrf_token", "version")
"""Fields of a form that nobody has typed."""

NO_REPLY = Typed("answer", NO_PROBLEM)


@dataclass(frozen=True)
class Conflict:
    """Somebody else was first: what they did since the version that the visitor had on the screen."""

    seen: int
    present: int
    steps: tuple[EventView, ...]


@dataclass(frozen=True)
class Reminded:
    """One reminder of the order: when, of what kind, what was said."""

    at: datetime
    kind: Tag
    text: str


@dataclass(frozen=True)
class FileLimits:
    """What a form takes of files: so many at once, megabytes of each and of all together."""

    count: int
    each: int
    together: int


FILE_LIMITS = FileLimits(MOST_AT_ONCE, LARGEST // 1024 // 1024, LARGEST_UPLOAD // 1024 // 1024)


@dataclass(frozen=True)
class OrderPage:
    """One order as its reader sees it. `names` map accounts to the names of people; `left` are texts that no form takes any more.

    `units` are those that it may be given to.

    `reply` is what stands in the form of the reply: typed just now, or kept from before.
    """

    view: OrderView
    due: DueDate
    names: Mapping[str, str]
    first_day: date
    today: date
    extension_days: int
    problem: Problem = NO_PROBLEM
    conflict: Conflict | None = None
    contact: Contact | None = None
    left: list[str] = field(default_factory=list)
    reply: Typed = NO_REPLY
    rated: tuple[str, ...] = RATED
    files: FileLimits = FILE_LIMITS
    quotes: tuple[Quote, ...] = ()
    may_listen: bool = False
    units: Sequence[tuple[str, str]] = ()
    may_reassign: bool = False
    recalls: tuple[RecallView, ...] = ()
    reminders: tuple[Reminded, ...] = ()

    def typed(self, form: str, name: str, otherwise: object = "") -> object:
        """What to show in a field of a form."""
        return self.reply.value(name, otherwise) if form == self.reply.form else self.problem.value(form, name, otherwise)

    @property
    def findings(self) -> list[tuple[str, str]]:
        """What a reply may find."""
        return order_words.choices(FINDINGS)

    @property
    def causes(self) -> list[tuple[str, str]]:
        """What a reply may give as the cause."""
        return order_words.choices(CAUSES)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """What somebody may be held to account for."""
        return order_words.choices(FAULTS)

    @property
    def grounds(self) -> list[tuple[str, str]]:
        """What an appeal may rest on."""
        return order_words.choices(GROUNDS)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """How the visitor may close the order now."""
        return [(word, order_words.outcome(word)) for word in self.view.outcomes]


def order_page(
    order_id: str, problem: Problem = NO_PROBLEM, seen: int | None = None, contact: Contact | None = None
) -> OrderPage:  # fmt: skip
    """The order's page; with what was wrong with a form, or done by others since version `seen`. Raises NotFound."""
    house, terms = services(), services().office.terms
    now = house.clock.now()
    with unknown_noted(), house.reads() as session:
        view = casework.order_view(session, house.office, order_id, order_actor(), terms, now)
        names = people.display_names(session, {event.actor for event in view.events})
        quotes = quotes_of(session, house.office, order_id, order_actor())
        recalls = casework.recalls_of(session, casework.found(session, order_id, order_actor()))
        reminders = [Reminded(one.at, kind_of(one.kind), words.in_language(one.text)) for one in notices.of_order(session, order_id)]
        units = _others(session, view) if {"reassign", "decide_appeal"} & set(view.actions) else ()
        draft = drafts.kept(session, drafts.ANSWER, order_id) if "answer" in view.actions else NOTHING
    conflict = None if seen is None else Conflict(seen, view.version, tuple(one for one in view.events if one.number > seen))
    days = (terms.local(view.issued_at).date(), terms.local(now).date())
    return OrderPage(
        view, due_of(view.due_at, view.state, terms, now), names, *days, terms.extension_days, problem, conflict,
        contact, _left(problem, view), Typed("answer", problem, draft), quotes=quotes, may_listen=order_actor().role in MAY_LISTEN,
        units=units, may_reassign=_may_reassign(view),
        recalls=tuple(recalls),
        reminders=tuple(reminders),
    )  # fmt: skip


def _may_reassign(view: OrderView) -> bool:
    """Whether an appeal that is upheld may give the order to another unit with it: as for `actions`, had it been decided."""
    move = MOVES["reassign"]
    return view.state in move.starts and order_actor().role in PARTIES[move.party]["centre"]


def _others(session: Session, view: OrderView) -> list[tuple[str, str]]:
    """The units that do not have the order, by name."""
    return [(str(unit), name) for unit, name in register.units(session, register.Reader()) if name != view.unit]


def due_of(due_at: datetime, state: str, terms: Terms, now: datetime) -> DueDate:
    """The deadline in words: its last day, and the working days left or over while the unit's clock runs."""
    last = due_at - LAST_MOMENT
    if state not in RUNNING:
        return DueDate(last, False, None)
    try:
        counted = days_counted(terms, due_at, now)
        return DueDate(last, due_at <= now, len(counted), counted)
    except CalendarMissing:
        return DueDate(last, due_at <= now, None)


def shown(page: OrderPage) -> str:
    """The page as HTML."""
    return render("orders/show.html", page)


def act(order_id: str, form: str, do: Do, done: str) -> Response | tuple[str, int]:
    """Do it in a transaction and come back to the order; refused, its page shows why, with what was typed."""
    house, version = services(), request.form.get("version", type=int)
    if version is None:
        abort(400)
    try:
        with unknown_noted(), house.unit_of_work() as work:
            do(work.session, order_actor(), version, house.clock.now())
    except Overtaken as late:
        message = _("未保存：您打开此页后，这张交办单已有变动，见下。请核对后重新提交。")
        return shown(order_page(order_id, Problem(form, "", message, request.form), late.seen)), 409
    except BadInput as wrong:
        return refused(order_id, form, wrong)
    except NotAllowed as stopped:
        return shown(order_page(order_id, Problem(form, "", words.in_language(stopped), request.form))), 409
    except CalendarMissing as missing:
        return shown(order_page(order_id, Problem(form, "", no_calendar(missing), request.form))), 409
    flash(done, "success")
    return redirect(url_for("orders.show", public_id=order_id), 303)


def refused(order_id: str, form: str, wrong: BadInput) -> tuple[str, int]:
    """The page, with what is wrong at its field."""
    return shown(order_page(order_id, Problem.of(form, wrong, request.form))), 422


def no_calendar(missing: CalendarMissing) -> str:
    """Why a deadline cannot be given, and what helps."""
    return _("期限落在 %(year)s 年，该年的节假日安排尚未载入，无法推算工作日。请管理员载入后重试。", year=missing.year)


def _left(problem: Problem, view: OrderView) -> list[str]:
    """What was typed into a form that the order does not offer any more: shown, so that it can be copied."""
    if not problem.form or problem.form in view.actions or problem.form not in MOVES:
        return []
    return [text for name, text in problem.typed.items() if name not in APART and text.strip()]
