"""One ticket of the human queue as its page shows it: its history, its order, other tickets of the same incident. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.store.models import Escalation, Respondent, TicketNote
from survey.store.queries.console_cases import CaseRow, case_of
from survey.store.queries.order_lists import OrderRow, order_of_case
from survey.store.queries.orders import INSPECTION


@dataclass(frozen=True)
class NoteRow:
    """One line of a ticket's history, its text still sealed."""

    public_id: str
    what: str
    text: bytes | None
    by: str
    at: datetime


@dataclass(frozen=True)
class TicketDetail:
    """A ticket. `order` is the one that came out of it, `others` are open ones of the same incident, `into` the one it was merged into."""

    case: CaseRow
    claimed_at: datetime | None
    notes: Sequence[NoteRow]
    order: OrderRow | None
    others: Sequence[CaseRow]
    into: str | None


def detail(session: Session, ticket: Escalation, inspection: bool) -> TicketDetail:
    """Everything about a ticket that was found for its reader. `inspection`: may that one know of tickets routed there (R35)?"""
    written = select(TicketNote).where(TicketNote.escalation_id == ticket.id).order_by(TicketNote.id)
    notes = [NoteRow(one.public_id, one.what, one.text_sealed, one.by, one.at) for one in session.scalars(written)]
    case = case_of(session, ticket.respondent_id)
    assert case is not None
    into = session.get(Escalation, ticket.merged_into_id) if ticket.merged_into_id is not None else None
    return TicketDetail(
        case, ticket.claimed_at, notes, order_of_case(session, ticket.public_id), _others(session, ticket, inspection),
        into.public_id if into is not None else None,
    )  # fmt: skip


def _others(session: Session, ticket: Escalation, inspection: bool) -> list[CaseRow]:
    same = select(Escalation.respondent_id).join(Respondent, Escalation.respondent_id == Respondent.id)
    same = same.where(Respondent.incident_id == ticket.respondent.incident_id, Escalation.id != ticket.id, Escalation.state == "open")
    if not inspection:
        same = same.where(Escalation.route != INSPECTION)
    return [row for respondent in session.scalars(same.order_by(Escalation.id)) for row in [case_of(session, respondent)] if row]
