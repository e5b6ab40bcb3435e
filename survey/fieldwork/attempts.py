"""Which attempt a web-hook speaks of, and which of the carrier's calls belongs to it."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.callback_rules import CALLBACK
from survey.errors import UnknownAttempt
from survey.fieldwork.alarms import raise_alarm
from survey.store.models import CallAttempt, CarrierEvent, Respondent
from survey.store.rows import read_again


def find_attempt(session: Session, token: str) -> CallAttempt:
    """The attempt named by a web-hook, locked until the unit of work ends. Raises UnknownAttempt."""
    attempt = session.scalar(select(CallAttempt).where(CallAttempt.token == token).with_for_update())
    if attempt is None:
        raise UnknownAttempt
    return attempt


NOT_PLACED = "not placed"
"""The error of a request that the carrier's list never showed."""


def revive(session: Session, attempt: CallAttempt, call_sid: str, now: datetime) -> None:
    """The carrier speaks of a call that its list did not show: it was placed after all, and the respondent is on this line.

    Where the respondent has been called anew, the carrier's list has made us ring twice: that is written down.
    """
    if attempt.error != NOT_PLACED or attempt.settled_at is None or attempt.purpose == CALLBACK:
        return
    respondent: Respondent = attempt.respondent
    read_again(session, respondent, "state")
    anew = exists().where(CallAttempt.respondent_id == respondent.id, CallAttempt.number > attempt.number)
    if session.scalar(select(anew)):
        note_second_leg(session, attempt, call_sid, now)
        return
    if respondent.state != "waiting" or session.scalar(select(exists().where(CallAttempt.live_key == attempt.phone_key))):
        return
    attempt.status, attempt.error, attempt.settled_at, attempt.live_key = "placed", "", None, attempt.phone_key
    respondent.state, respondent.due_at = "calling", None


def bind_call(attempt: CallAttempt, call_sid: str) -> bool:
    """Tie the attempt to the carrier's call, whoever tells first; False for another leg of it (first answer wins)."""
    if attempt.carrier_sid is None or (attempt.answered_at is None and attempt.status == "unknown"):
        attempt.carrier_sid = call_sid
    return attempt.carrier_sid == call_sid


def note_second_leg(session: Session, attempt: CallAttempt, call_sid: str, now: datetime) -> None:
    """Write down that another call of the carrier's asks for the attempt's words: one attempt rang twice (RS13)."""
    known = exists().where(CarrierEvent.attempt_id == attempt.id, CarrierEvent.kind == "second_leg", CarrierEvent.key == call_sid)
    if session.scalar(select(known)):
        return
    session.add(CarrierEvent(attempt_id=attempt.id, kind="second_leg", key=call_sid, at=now))
    raise_alarm(session, AlarmKind.DOUBLE_RING, f"attempt:{attempt.id}", now, attempt=attempt.id)


BROKEN = "broken"


def note_broken(session: Session, token: str, now: datetime) -> None:
    """Write down that our own system ended the call with an apology: the person did not (3.16). Raises UnknownAttempt."""
    attempt = find_attempt(session, token)
    if not was_broken(session, attempt):
        session.add(CarrierEvent(attempt_id=attempt.id, kind=BROKEN, key="", at=now))


def was_broken(session: Session, attempt: CallAttempt) -> bool:
    """Whether the conversation was ended by the line or by us, and not by the person."""
    if attempt.status == "failed":
        return True
    return bool(session.scalar(select(exists().where(CarrierEvent.attempt_id == attempt.id, CarrierEvent.kind == BROKEN))))


LED_BACK = "led_back"


def may_be_led_back(session: Session, attempt: CallAttempt, step: int, request: str, now: datetime) -> bool:
    """Whether the carrier's failure to hear us at `step` is the first one there, so that the call may go on; written down.

    `request` names the carrier's request: its repeat is told the same.
    """
    there = CarrierEvent.attempt_id == attempt.id, CarrierEvent.kind == LED_BACK, CarrierEvent.key.startswith(f"{step}:")
    known, key = session.scalars(select(CarrierEvent.key).where(*there)).all(), f"{step}:{request}"
    if not known:
        session.add(CarrierEvent(attempt_id=attempt.id, kind=LED_BACK, key=key, at=now))
    return not known or (bool(request) and key in known)
