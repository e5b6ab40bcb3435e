"""What becomes of a respondent: waits again, is closed, changes its disposition."""

from datetime import datetime

from sqlalchemy.orm import Session

from survey import ladder
from survey.disposition import Disposition
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


def change_disposition(session: Session, respondent: Respondent, new: Disposition, now: datetime, attempt_id: int | None) -> None:
    """Set the respondent's disposition and keep the old one in its history."""
    if respondent.disposition != new.word:
        change = DispositionChange(respondent_id=respondent.id, attempt_id=attempt_id, old=respondent.disposition, new=new.word, at=now)
        session.add(change)
        respondent.disposition = new.word
