"""What has been tried with a respondent, as the rules of contact want to see it."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from survey.callback_rules import CALLBACK, ORDINARY
from survey.contact_rules import DECLINING, FINAL, PastAttempt
from survey.disposition import Disposition
from survey.store.models import CallAttempt
from survey.store.queries.dialling import INTERVIEWS

BARRED = frozenset({"21215", "21216", "13225", "13227"})
"""The carrier's codes for numbers that it puts no call through to, however often it is asked."""
THEIRS = FINAL | DECLINING | {Disposition.NOT_AVAILABLE}
"""What counts of a person's calls to us: they end or decline the interview, or ask for another time."""


def settled_attempts(session: Session, respondent_id: int) -> list[CallAttempt]:
    """The respondent's attempts that have a verdict, oldest first; of an operator's calls back those that became an interview."""
    mine = select(CallAttempt).where(CallAttempt.respondent_id == respondent_id, CallAttempt.disposition.is_not(None))
    counted = or_(CallAttempt.purpose == ORDINARY, CallAttempt.disposition.in_(INTERVIEWS))
    return list(session.scalars(mine.where(counted).order_by(CallAttempt.number)))


def callbacks_of(session: Session, respondent_id: int) -> list[PastAttempt]:
    """An operator's calls back to the respondent that rang and are over, oldest first."""
    mine = select(CallAttempt).where(CallAttempt.respondent_id == respondent_id, CallAttempt.disposition.is_not(None))
    return [_past(attempt) for attempt in session.scalars(mine.where(CallAttempt.purpose == CALLBACK).order_by(CallAttempt.number))]


def past_attempts(attempts: list[CallAttempt]) -> list[PastAttempt]:
    """The same for the rules of contact: our own calls, and of the person's calls to us those that say whether and when to call."""
    return [_past(attempt) for attempt in attempts if attempt.direction == "out" or _verdict(attempt) in THEIRS]


def _past(attempt: CallAttempt) -> PastAttempt:
    verdict = _verdict(attempt)
    declined = verdict in (Disposition.NOT_AVAILABLE, Disposition.REFUSAL_BEFORE, Disposition.REFUSAL)
    barred = verdict is Disposition.BLOCKED and attempt.error in BARRED
    return PastAttempt(attempt.requested_at or attempt.claimed_at, verdict, declined, attempt.direction == "out", barred)


def _verdict(attempt: CallAttempt) -> Disposition:
    return Disposition.from_word(attempt.disposition or Disposition.TECHNICAL.word)
