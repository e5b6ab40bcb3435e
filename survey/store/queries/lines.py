"""Questions about the lines in use."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey.ladder import LIVE
from survey.store.models import CallAttempt


def calls_in_progress(session: Session) -> int:
    """How many calls may be on their way, ring or talk now: all that the carrier has been asked for and that have not ended."""
    live = select(func.count()).select_from(CallAttempt).where(CallAttempt.status.in_(LIVE), CallAttempt.status != "claimed")
    return session.scalar(live) or 0
