"""Reminding an office of an order by hand: each once a day, while the office is open and the order in its hands (O31, O36)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.casework.changes import found, standing_of
from survey.casework.numbering import number_text
from survey.casework.reminding import URGE, Reminder, audience_of, office_word, put
from survey.errors import NotAllowed
from survey.fieldwork.office import Office
from survey.order_clock import Terms, days_left, is_office_open, last_day
from survey.order_moves import PARTIES, RUNNING, STATES, Actor
from survey.store.models import Notice, Order


def may_urge(session: Session, order_id: str, actor: Actor, terms: Terms, now: datetime) -> Order:
    """The order, if its office may be reminded of it now by this actor.

    Raises NotFound where the actor may not know of it, NotAllowed for a wrong role or state, outside of office hours, and the second
    time on one day; CalendarMissing.
    """
    order = found(session, order_id, actor)
    if actor.role not in PARTIES["desk"][standing_of(order).route]:
        raise NotAllowed("您的角色不能催办此单 / your role does not allow you to remind of this order")
    if order.state not in RUNNING:
        zh, en = STATES[order.state]
        raise NotAllowed(f"交办单{zh}，无须催办 / the order is {en}: nobody is to be reminded")
    if not is_office_open(terms, now):
        hours = f"{terms.opening:%H:%M}–{terms.closing:%H:%M}"
        raise NotAllowed(f"只在工作日 {hours} 催办 / reminders are sent on working days, {hours}")
    if session.scalar(select(Notice.id).where(Notice.key == _key(order, terms, now))) is not None:
        raise NotAllowed("今天已催办过 / its office was reminded today already")
    return order


def urge(session: Session, office: Office, order_id: str, actor: Actor, terms: Terms, now: datetime) -> Order:
    """Write the notice; how it leaves the console, the next tick decides. Raises as `may_urge` does."""
    order = may_urge(session, order_id, actor, terms, now)
    number, last, left = number_text(order.year, order.serial), last_day(terms, order.due_at), days_left(terms, order.due_at, now)
    zh, en = (f"剩 {left} 个工作日", f"{left} working days left") if order.due_at > now else (
        f"已逾期 {-left} 个工作日", f"{-left} working days overdue"
    )  # fmt: skip
    text = f"催办：交办单 {number}，期限 {last}，{zh} / please see to order {number}, due on {last}, {en}"
    details = {"days": left, "due_on": str(last), "by_role": actor.role}
    reminder = Reminder(URGE, f"order:{order.public_id}", audience_of(order), _key(order, terms, now), text, details)
    if not put(session, office, reminder, now, actor.name):
        raise NotAllowed("今天已催办过 / its office was reminded today already")
    return order


def _key(order: Order, terms: Terms, now: datetime) -> str:
    """Once a day for each office: who is given the order has been reminded of nothing yet."""
    return f"{URGE}:{order.public_id}:{office_word(audience_of(order))}:{terms.local(now).date()}"
