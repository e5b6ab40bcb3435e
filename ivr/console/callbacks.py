"""Calling the person of a ticket back: the button on its page, and the way to the call (O23)."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ivr.console import words
from ivr.console.access import DESK, actor, present, role
from ivr.console.order_access import order_actor, unknown_noted
from ivr.console.services import services
from survey import desk
from survey.accounts.people import known
from survey.casework.tickets import Taken
from survey.desk.callbacks import Standing
from survey.errors import BadInput, NotAllowed
from survey.store.models import Escalation
from survey.store.queries import people

callbacks = Blueprint("callbacks", __name__)


@dataclass(frozen=True)
class CallbackOffer:
    """What the page of a ticket says of calling back; `is_open`: it may be done now."""

    standing: Standing
    is_open: bool


def offer_of(session: Session, case: Escalation, now: datetime) -> CallbackOffer | None:
    """Whether the visitor may call the ticket's person back; nothing for who has no desk, or whose colleague has the ticket."""
    if present().role not in DESK or case.claimed_by not in (None, actor()):
        return None
    found = desk.callbacks.standing(session, services().office, case, now)
    return CallbackOffer(found, found.is_open(now))


@callbacks.post("/escalations/<public_id:public_id>/call-back")
@role(*DESK)
def call_back(public_id: str) -> Response:
    """Ring the operator's own telephone, then the person's; the page of the call follows it."""
    house = services()
    try:
        with unknown_noted(), house.unit_of_work() as work:
            user = known(work.session, actor())
            begun = desk.callbacks.begin(work, house.office, public_id, order_actor(), user, house.clock.now())
            called = begun.public_id
    except Taken as taken:
        with house.reads() as session:
            flash(_("已由%(name)s领取。", name=people.display_names(session, [taken.by]).get(taken.by, taken.by)), "warning")
        return redirect(url_for("tickets.show", public_id=public_id), 303)
    except (BadInput, NotAllowed) as refused:
        flash(words.in_language(refused), "warning")
        return redirect(url_for("tickets.show", public_id=public_id), 303)
    return redirect(url_for("desk.show", public_id=called), 303)
