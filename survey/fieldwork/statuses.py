"""What the carrier reports about a call: applied once, in whatever order it comes (R22)."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from survey import flow, ladder
from survey.events import MachineAnswered
from survey.fieldwork.attempts import bind_call, find_attempt, note_second_leg, revive
from survey.fieldwork.office import Office
from survey.fieldwork.turns import advance
from survey.store.models import CallAttempt, CarrierEvent
from survey.store.queries.dialling import MACHINES
from survey.store.unit_of_work import UnitOfWork

RANG = frozenset({"ringing", "in_progress", "completed", "busy", "no_answer"})
"""What is only reported of a call that rang somebody."""

TIMES = {"placed": "placed_at", "ringing": "ringing_at", "in_progress": "answered_at"}


def apply_status(
    work: UnitOfWork, token: str, call_sid: str, status: str, now: datetime, *, seconds: int | None = None, error: str = ""
) -> None:  # fmt: skip
    """Climb the ladder by one report; `status` is a word of `survey.ladder`, `seconds` the talk time, `error` a code.

    A repeat, a lower rung, or another leg's report changes nothing; that another leg rang is written down. Raises UnknownAttempt.
    """
    attempt = find_attempt(work.session, token)
    key = f"{call_sid}:{status}"
    if status in RANG:
        revive(work.session, attempt, call_sid, now)
    if not bind_call(attempt, call_sid):
        if status in RANG:
            note_second_leg(work.session, attempt, call_sid, now)
        return
    if not note_event(work.session, attempt, "status", key, now):
        return
    report(work, attempt, status, now, seconds=seconds, error=error)


def report(work: UnitOfWork, attempt: CallAttempt, status: str, now: datetime, *, seconds: int | None = None, error: str = "") -> None:
    """Apply a status that is known to belong to the attempt, from a web-hook or from the carrier's list."""
    was_ended = ladder.is_ended(attempt.status)
    attempt.status = ladder.climb(attempt.status, status)
    column = TIMES.get(status)
    if column and getattr(attempt, column) is None:
        setattr(attempt, column, now)
    if ladder.is_ended(attempt.status) and not was_ended:
        attempt.ended_at, attempt.live_key = now, None
        attempt.seconds, attempt.error = seconds, error or attempt.error
        work.later("settle", attempt.id)


def apply_machine(work: UnitOfWork, office: Office, token: str, call_sid: str, kind: str, now: datetime) -> bool:
    """Note who answered (`human`, `machine`, `fax`, `unknown`); True when the call is to be ended at the carrier.

    A machine ends the conversation unless a person has already pressed or said something: then it was none, and the call
    stays among those that a person answered (R18). Raises UnknownAttempt.
    """
    attempt = find_attempt(work.session, token)
    if not bind_call(attempt, call_sid) or not note_event(work.session, attempt, "machine", call_sid, now):
        return False
    state = flow.State.from_json(attempt.flow_state) if attempt.flow_state else flow.State()
    is_mistaken = kind in MACHINES and state.touched
    attempt.answered_by = attempt.answered_by if is_mistaken else kind
    if kind not in MACHINES or attempt.settled_at is not None or is_mistaken or state.ended:
        return False
    advance(work, office, attempt, MachineAnswered(kind), office.script(work.session, attempt.script_version_id), now)
    work.later("hang_up", attempt.id)
    return True


def note_event(session: Session, attempt: CallAttempt, kind: str, key: str, now: datetime) -> bool:
    """Write down that a callback was applied; False when it had been before."""
    known = exists().where(CarrierEvent.attempt_id == attempt.id, CarrierEvent.kind == kind, CarrierEvent.key == key)
    if session.scalar(select(known)):
        return False
    session.add(CarrierEvent(attempt_id=attempt.id, kind=kind, key=key, at=now))
    return True
