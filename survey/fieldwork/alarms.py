"""Alarms are raised, repeated, and cleared here; what each kind means stands in `survey.alarms`."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.store.models import Alarm
from survey.store.queries.fieldwork import put_alarm


def raise_alarm(session: Session, kind: AlarmKind, subject: str, now: datetime, **details: Any) -> None:
    """Raise the alarm, or count it once more while it stands; `details` must hold no personal data.

    The row is written in the caller's transaction: an alarm about a change stands or falls with it.
    """
    put_alarm(session, {"kind": kind.word, "subject": subject, "details": details, "raised_at": now, "seen_at": now, "count": 1})


def clear_alarm(session: Session, kind: AlarmKind, subject: str, now: datetime) -> None:
    """End the alarm, if it stands, because its cause is gone."""
    standing = (Alarm.kind == kind.word, Alarm.subject == subject, Alarm.cleared_at.is_(None))
    session.execute(update(Alarm).where(*standing).values(cleared_at=now))


def is_standing(session: Session, kind: AlarmKind, subject: str) -> bool:
    """Whether the alarm stands."""
    standing = Alarm.kind == kind.word, Alarm.subject == subject, Alarm.cleared_at.is_(None)
    return session.scalar(select(Alarm.id).where(*standing)) is not None


def acknowledge(session: Session, alarm_id: int, by: str, now: datetime) -> bool:
    """Note that a person has taken it in hand; False when somebody had before."""
    alarm = session.get_one(Alarm, alarm_id, with_for_update=True)
    if alarm.acknowledged_at is not None:
        return False
    alarm.acknowledged_at, alarm.acknowledged_by = now, by
    return True


def standing_alarms(session: Session) -> list[Alarm]:
    """Every alarm that stands, oldest first."""
    return list(session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None)).order_by(Alarm.raised_at, Alarm.id)))
