"""What becomes of a respondent: waits again, is closed, changes its disposition."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from survey import ladder
from survey.disposition import Disposition, final
from survey.store.models import CallAttempt, Campaign, DispositionChange, Respondent
from survey.store.rows import read_again


def wait_again(session: Session, respondent: Respondent, due_at: datetime, now: datetime) -> None:
    """Let the respondent be called at `due_at`, or close it when the campaign was stopped meanwhile.

    The campaign's row is read under a shared lock, so that a stop on another connection comes wholly before or after.
    """
    campaign: Campaign = respondent.campaign
    read_again(session, campaign, "state", shared=True)
    if campaign.state == "stopped":
        close(respondent, "campaign_stopped", now)
    else:
        respondent.state, respondent.due_at = "waiting", due_at


def give_back(session: Session, attempt: CallAttempt, status: str, due_at: datetime, now: datetime) -> None:
    """Nothing rang: the request is settled without a disposition, the try does not count, the respondent waits until `due_at`."""
    attempt.status, attempt.live_key = ladder.climb(attempt.status, status), None
    attempt.ended_at, attempt.settled_at = attempt.ended_at or now, now
    attempt.respondent.tries -= 1
    if attempt.respondent.state == "calling":
        wait_again(session, attempt.respondent, due_at, now)


def close(respondent: Respondent, reason: str, now: datetime) -> None:
    """Call this respondent no more in this campaign."""
    respondent.state, respondent.close_reason, respondent.closed_at, respondent.due_at = "closed", reason, now, None


def is_reopened(respondent: Respondent) -> bool:
    """Whether the case had been closed and is open only for the call to us that the person is making: nobody is dialled for it."""
    return respondent.state == "calling" and respondent.closed_at is not None


def change_disposition(session: Session, respondent: Respondent, new: Disposition, now: datetime, attempt_id: int | None) -> None:
    """Set the respondent's disposition and keep the old one in its history; `attempt_id` is None where no call to it gave the code."""
    new = _beside_the_refusal(session, respondent, new)
    if respondent.disposition != new.word:
        change = DispositionChange(respondent_id=respondent.id, attempt_id=attempt_id, old=respondent.disposition, new=new.word, at=now)
        session.add(change)
        respondent.disposition = new.word


def _beside_the_refusal(session: Session, respondent: Respondent, new: Disposition) -> Disposition:
    """A refusal that was said in no call to this respondent stands in no attempt: it is weighed against what attempts bring (R17)."""
    if respondent.disposition != Disposition.REFUSAL_BEFORE.word:
        return new
    mine = DispositionChange.respondent_id == respondent.id, DispositionChange.attempt_id.is_(None)
    said = session.scalar(select(exists().where(*mine, DispositionChange.new == Disposition.REFUSAL_BEFORE.word)))
    return final([Disposition.REFUSAL_BEFORE, new]) if said else new
