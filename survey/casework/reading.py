"""Who has read which notice."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from survey.casework.reminding import note_sent
from survey.store.models import Notice, NoticeReading


def note_read(session: Session, notices: Sequence[int], user_id: int, now: datetime) -> None:
    """This person has read these notices (their ids), which so have reached their office; again: nothing."""
    if not notices:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [{"user_id": user_id, "notice_id": notice_id, "at": now} for notice_id in notices]
    session.execute(dialect.insert(NoticeReading).on_conflict_do_nothing(), rows)
    for key in session.scalars(select(Notice.key).where(Notice.id.in_(notices), Notice.sent_at.is_(None))).all():
        note_sent(session, key, now)
