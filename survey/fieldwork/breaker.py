"""A carrier out of reach: dialling holds back and one call at a time tries whether it is there again (RS6)."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.fieldwork.alarms import is_standing, raise_alarm
from survey.fieldwork.holds import CARRIER, end_hold, open_hold, standing_hold
from survey.holds import HoldReason
from survey.store.queries import dialling as queries

PROBE_PAUSE = timedelta(seconds=30)
ALARM_AFTER = timedelta(minutes=2)


def note_unreachable(session: Session, now: datetime) -> None:
    """A request never left: hold everything back. `until` is when the next call may try."""
    open_hold(session, CARRIER, HoldReason.UNREACHABLE, now, until=now + PROBE_PAUSE)
    check(session, now)


def note_reached(session: Session, now: datetime) -> None:
    """The carrier answered: dial on."""
    end_hold(session, CARRIER, HoldReason.UNREACHABLE, now)


def claims_left(session: Session, now: datetime) -> int | None:
    """How many claims make sense now: one for a trial that is due, none before; None while the carrier is within reach."""
    hold = standing_hold(session, CARRIER, HoldReason.UNREACHABLE)
    if hold is None:
        return None
    is_due = hold.until is None or hold.until <= now
    return max(0, 1 - queries.claimed(session)) if is_due else 0


def may_request(session: Session, now: datetime) -> bool:
    """Whether a call may be handed to the carrier; while it is out of reach, taking the one trial of the next 30 seconds."""
    hold = standing_hold(session, CARRIER, HoldReason.UNREACHABLE)
    return hold is None or queries.take_probe(session, hold.id, now, PROBE_PAUSE)


def check(session: Session, now: datetime) -> None:
    """Raise the alarm once the carrier has been out of reach for two minutes."""
    hold = standing_hold(session, CARRIER, HoldReason.UNREACHABLE)
    if hold is None or now - hold.since < ALARM_AFTER or is_standing(session, AlarmKind.CARRIER_UNREACHABLE, CARRIER):
        return
    raise_alarm(session, AlarmKind.CARRIER_UNREACHABLE, CARRIER, now, since=hold.since.isoformat())
