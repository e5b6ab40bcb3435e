"""Questions about the lines in use."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey.store.models import CallAttempt


def calls_in_progress(session: Session) -> int:
    """How many calls ring or talk now, as far as the carrier has told."""
    live = select(func.count()).select_from(CallAttempt).where(CallAttempt.status.in_(("ringing", "in_progress")))
    return session.scalar(live) or 0
