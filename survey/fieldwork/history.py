"""What has been tried with a respondent, as the rules of contact want to see it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.contact_rules import DECLINING, FINAL, PastAttempt
from survey.disposition import Disposition
from survey.store.models import CallAttempt


def settled_attempts(session: Session, respondent_id: int) -> list[CallAttempt]:
    """The respondent's attempts that have a verdict, oldest first."""
    mine = select(CallAttempt).where(CallAttempt.respondent_id == respondent_id, CallAttempt.disposition.is_not(None))
    return list(session.scalars(mine.order_by(CallAttempt.number)))


def past_attempts(attempts: list[CallAttempt]) -> list[PastAttempt]:
    """The same for the rules of contact: our own calls, and of the person's calls to us those that end or decline the interview."""
    return [_past(attempt) for attempt in attempts if attempt.direction == "out" or _verdict(attempt) in FINAL | DECLINING]


def _past(attempt: CallAttempt) -> PastAttempt:
    verdict = _verdict(attempt)
    declined = verdict in (Disposition.NOT_AVAILABLE, Disposition.REFUSAL_BEFORE, Disposition.REFUSAL)
    return PastAttempt(attempt.requested_at or attempt.claimed_at, verdict, declined, attempt.direction == "out")


def _verdict(attempt: CallAttempt) -> Disposition:
    return Disposition.from_word(attempt.disposition or Disposition.TECHNICAL.word)
