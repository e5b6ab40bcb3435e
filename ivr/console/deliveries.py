"""How notices travel out of the console, and sending again what did not arrive (R54)."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ivr.console import notice_words
from ivr.console.access import ADMINISTRATOR, CENTRE, actor, role
from ivr.console.notice_words import AGAIN, kind_of
from ivr.console.rendering import render
from ivr.console.services import services
from ivr.console.words import Tag, in_language, say
from survey import casework
from survey.notice_problems import Problem
from survey.store.queries import notices as queries
from survey.store.queries.notices import DeliveryRow

deliveries = Blueprint("deliveries", __name__)


@dataclass(frozen=True)
class DeliveryLine:
    """One notice on its way, as shown."""

    number: int
    kind: Tag
    office: str
    text: str
    channel: str
    recipient: str
    state: Tag
    problem: str
    remedy: str
    tries: int
    created_at: datetime
    sent_at: datetime | None
    next_at: datetime | None
    may_again: bool


@dataclass(frozen=True)
class DeliveriesPage:
    """The newest deliveries, newest first."""

    lines: list[DeliveryLine]


@deliveries.get("/notices/deliveries")
@role(ADMINISTRATOR, CENTRE)
def index() -> str:
    """How notices travelled, but for those of inspection (R35)."""
    with services().reads() as session:
        rows = queries.deliveries(session)
    return render("deliveries/index.html", DeliveriesPage([_delivery(row) for row in rows]))


@deliveries.post("/notices/deliveries/<int:number>/again")
@role(ADMINISTRATOR)
def again(number: int) -> Response:
    """Let one that was given up be tried anew."""
    house = services()
    with house.unit_of_work() as work:
        casework.send_again(work.session, house.office, number, actor(), house.clock.now())
        work.later("send_notice", number)
    flash(_("已重新排队，在办公时间内发送。"), "success")
    return redirect(url_for("deliveries.index"), 303)


def _delivery(row: DeliveryRow) -> DeliveryLine:
    trouble = Problem.parse(row.problem)
    state = AGAIN if row.state == "waiting" and row.tries else notice_words.STATES[row.state]
    return DeliveryLine(
        row.id, kind_of(row.kind), row.unit or str(notice_words.CENTRE), in_language(row.text), say(notice_words.CHANNELS, row.channel),
        _recipient(row), state, in_language(trouble.sentence) if row.problem else "", in_language(trouble.remedy) if row.problem else "",
        row.tries, row.created_at, row.sent_at, row.due_at if row.state == "waiting" else None, row.state == "failed",
    )  # fmt: skip


def _recipient(row: DeliveryRow) -> str:
    if row.channel == "file":
        return str(notice_words.FOLDER)
    return "—" if row.channel == "webhook" else row.name or row.recipient
