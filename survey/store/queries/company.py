"""What a page that stays open asks about: who else is looking at it, and what others have done since it was opened (O33)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.store.models import OrderEvent, TicketNote, User


@dataclass(frozen=True)
class StepRow:
    """One step of a history: when, by which account, what."""

    at: datetime
    by: str
    what: str


def called(session: Session, user_ids: Iterable[int]) -> list[str]:
    """What the accounts of these ids are called on pages, sorted; accounts that are not there are left out."""
    return list(session.scalars(select(User.display_name).where(User.id.in_(set(user_ids))).order_by(User.display_name)))


def order_steps(session: Session, order_id: int, version: int) -> list[StepRow]:
    """The steps of an order after that version of it."""
    later = select(OrderEvent).where(OrderEvent.order_id == order_id, OrderEvent.number > version).order_by(OrderEvent.number)
    return [StepRow(one.at, one.actor, one.what) for one in session.scalars(later)]


def ticket_steps(session: Session, ticket_id: int, seen: int) -> list[StepRow]:
    """The lines of a ticket's history after the first `seen` ones."""
    later = select(TicketNote).where(TicketNote.escalation_id == ticket_id).order_by(TicketNote.id).offset(seen)
    return [StepRow(one.at, one.by, one.what) for one in session.scalars(later)]
