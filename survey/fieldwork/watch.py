"""What stands out while nothing happens: looked at in each sweep, so that an alarm needs no event to be raised or cleared."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.fieldwork import breaker
from survey.fieldwork.alarms import clear_alarm, raise_alarm
from survey.store.models import Alarm
from survey.store.queries.fieldwork import doubtful_attempts
from survey.working_days import calendar

UNKNOWN_FOR = timedelta(minutes=10)
QUEUES_FORGOTTEN = timedelta(hours=1)


def watch(session: Session, now: datetime) -> None:
    """Raise and clear the alarms that depend on time alone."""
    breaker.check(session, now)
    _watch_unknown(session, now)
    for alarm in _standing(session, AlarmKind.CARRIER_QUEUES):
        if now - alarm.seen_at >= QUEUES_FORGOTTEN:
            clear_alarm(session, AlarmKind.CARRIER_QUEUES, alarm.subject, now)
    for alarm in _standing(session, AlarmKind.CALENDAR_MISSING):
        if alarm.subject.isdecimal() and int(alarm.subject) in (calendar("cn").years or ()):
            clear_alarm(session, AlarmKind.CALENDAR_MISSING, alarm.subject, now)


def _watch_unknown(session: Session, now: datetime) -> None:
    standing = {alarm.subject for alarm in _standing(session, AlarmKind.UNKNOWN_TOO_LONG)}
    overdue = {f"attempt:{attempt_id}" for attempt_id in doubtful_attempts(session, now, UNKNOWN_FOR)}
    for subject in sorted(overdue - standing):
        raise_alarm(session, AlarmKind.UNKNOWN_TOO_LONG, subject, now)
    for subject in sorted(standing - overdue):
        clear_alarm(session, AlarmKind.UNKNOWN_TOO_LONG, subject, now)


def _standing(session: Session, kind: AlarmKind) -> list[Alarm]:
    return list(session.scalars(select(Alarm).where(Alarm.kind == kind.word, Alarm.cleared_at.is_(None))))
