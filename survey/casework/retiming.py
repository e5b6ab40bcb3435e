"""Deadlines follow the calendar: when days cease to be worked, running orders are due later; no deadline given is shortened (R48)."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey import orders
from survey.casework.changes import carry_out, standing_of
from survey.casework.numbering import number_text
from survey.fieldwork.office import Office
from survey.order_clock import retimed
from survey.store.models import Order, OrderEvent
from survey.store.queries.orders import running_orders
from survey.working_days import Calendar

STARTS = ("issue", "return", "supervise", "note_recall", "reroute", "reassign")
"""Steps that start the unit's clock anew."""


@dataclass(frozen=True)
class Retimed:
    """An order whose deadline has moved; `is_hidden` where inspection has it (R35)."""

    number: str
    due_before: datetime
    due_at: datetime
    is_hidden: bool


def retime(session: Session, office: Office, before: Calendar, after: Calendar, reason: str, now: datetime) -> list[Retimed]:
    """Move the deadlines of running orders from one calendar to the other, with a step in each timeline.

    Raises CalendarMissing where a deadline would come to lie in a year without a calendar: then nothing is to be changed.
    """
    terms = replace(office.terms, own_calendar=after)
    moved = []
    for order in running_orders(session):
        due_at = retimed(terms, before, _since(session, order), order.due_at)
        if due_at > order.due_at:
            was, standing = order.due_at, standing_of(order)
            carry_out(session, office, order, orders.retime(standing, now, due_at, reason))
            moved.append(Retimed(number_text(order.year, order.serial), was, due_at, standing.route == "inspection"))
    return moved


def _since(session: Session, order: Order) -> datetime:
    """The moment from which the standing deadline was counted."""
    last = select(func.max(OrderEvent.at)).where(OrderEvent.order_id == order.id, OrderEvent.what.in_(STARTS))
    return session.scalar(last) or order.issued_at
