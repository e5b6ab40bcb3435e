"""Which attempt a web-hook speaks of, and which of the carrier's calls belongs to it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.errors import UnknownAttempt
from survey.store.models import CallAttempt


def find_attempt(session: Session, token: str) -> CallAttempt:
    """The attempt named by a web-hook, locked until the unit of work ends. Raises UnknownAttempt."""
    attempt = session.scalar(select(CallAttempt).where(CallAttempt.token == token).with_for_update())
    if attempt is None:
        raise UnknownAttempt
    return attempt


def bind_call(attempt: CallAttempt, call_sid: str) -> bool:
    """Tie the attempt to the carrier's call, whoever tells first; False for another leg of it (first answer wins)."""
    if attempt.carrier_sid is None or (attempt.answered_at is None and attempt.status == "unknown"):
        attempt.carrier_sid = call_sid
    return attempt.carrier_sid == call_sid
