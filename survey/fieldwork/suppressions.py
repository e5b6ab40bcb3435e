"""Numbers that must not be called: an express refusal ends all present and future dialling (R16)."""

from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from survey.fieldwork.office import Office
from survey.store.models import Respondent, Suppression
from survey.store.queries.fieldwork import put_suppression


def is_suppressed(session: Session, phone_key: bytes) -> bool:
    """Whether the number is on the refusal list."""
    return bool(session.scalar(select(exists().where(Suppression.phone_key == phone_key, Suppression.lifted_at.is_(None)))))


def opt_out(session: Session, office: Office, phone_key: bytes, reason: str, now: datetime, attempt_id: int | None = None) -> None:
    """Put a number on the refusal list and close everyone who waits to be called on it, in every campaign."""
    waiting = update(Respondent).where(Respondent.phone_key == phone_key, Respondent.state == "waiting")
    session.execute(waiting.values(state="closed", close_reason="opted_out", closed_at=now, due_at=None))
    number = put_suppression(session, {"phone_key": phone_key, "reason": reason, "attempt_id": attempt_id, "at": now})
    if number is not None:
        office.record(session, now, "system", "contact.opt_out", f"suppression:{number}", reason=reason, attempt=attempt_id)
