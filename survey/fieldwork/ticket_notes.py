"""The history of a case in the human queue: lines that are never changed."""

from datetime import datetime

from sqlalchemy.orm import Session

from survey.fieldwork.office import Office
from survey.store.models import Escalation, TicketNote
from survey.store.models.base import public_id
from survey.store.sealing import place


def note_step(
    session: Session, office: Office, case: Escalation, by: str, what: str, text: str, now: datetime, **details: str
) -> None:  # fmt: skip
    """Add a line: `what` is a word of `casework.tickets.STEPS`, `by` a user or `system`; the text is sealed, as it may hold names.

    `details` go into the audit trail.
    """
    identity = public_id()
    sealed = office.keys.seal(text or None, place(TicketNote.__tablename__, "text_sealed", identity))
    session.add(TicketNote(public_id=identity, escalation_id=case.id, what=what, text_sealed=sealed, by=by, at=now))
    session.flush()
    office.record(session, now, by, f"ticket.{what}", f"case:{case.public_id}", **details)
