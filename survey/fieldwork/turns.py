"""One turn of a conversation: a signed, idempotent round trip (design §4.5)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import events, flow, flow_callback, ladder, prompts
from survey.actions import (
    Action,
    CallLater,
    Collect,
    DropRecording,
    Escalate,
    Hangup,
    Join,
    KeepRecording,
    OptOut,
    Record,
    RecordingAction,
    SaveAnswer,
    Say,
    SetDisposition,
    SpeakingAction,
    Transfer,
    Withdraw,
)  # fmt: skip
from survey.events import Event, HungUp, LineFailed
from survey.fieldwork import callbacks, transfers
from survey.fieldwork.attempts import bind_call, find_attempt, may_be_led_back, note_broken, note_second_leg, revive
from survey.fieldwork.beginnings import begin
from survey.fieldwork.bookings import note_wish, promised
from survey.fieldwork.escalations import escalate, note_consent, withdraw
from survey.fieldwork.office import Office, TurnContext
from survey.fieldwork.recordings import discard, keep_announced
from survey.fieldwork.suppressions import opt_out
from survey.flow_operator import DESK
from survey.script import Script
from survey.store.models import CallAttempt, Incident, Respondent, Turn
from survey.store.queries.desk import is_operator_free
from survey.store.queries.fieldwork import put_answer, put_turn
from survey.store.unit_of_work import UnitOfWork

SPEAKING = (Say, Collect, Record, Transfer, Join, Hangup)


Render = Callable[[tuple[SpeakingAction, ...], int, TurnContext], str]
"""Renders speaking actions; the number is the step that the carrier shall ask for next. No actions: only lead there."""


Notice = Callable[[str], None]
"""Is told what kind of round trip it was, for whoever counts them: new, repeat, ahead, or over."""


def take_turn(
    work: UnitOfWork, office: Office, token: str, step: int, event: Event, call_sid: str, now: datetime, render: Render,
    notice: Notice = lambda kind: None, clock: Callable[[], datetime] | None = None,
) -> str:  # fmt: skip
    """Answer the carrier's request for `step` of the attempt, and store what it brought.

    A repeated or late step gets its stored reply byte for byte; a step ahead of the conversation is led back to
    where it stands; both change nothing. A second leg of the same attempt, and a call that has been settled, hear
    a hang-up. `clock` tells when our voice begins, where the wait for the attempt's row is to count (R18). Raises UnknownAttempt.
    """
    session = work.session
    attempt = find_attempt(session, token)
    if step < attempt.step and attempt.carrier_sid == call_sid:
        notice("repeat")
        return session.get_one(Turn, (attempt.id, step)).reply
    context = _context(session, office, attempt)
    if _is_over(session, attempt, call_sid, now):
        notice("over")
        return render((Hangup(),), step, context)
    if step > attempt.step:
        notice("ahead")
        return _lead_back(session, attempt, context, render)
    with session.no_autoflush:  # one UPDATE of the attempt, at the commit
        event = _told(session, attempt, context.script, event, now)
        speaking = advance(work, office, attempt, event, context.script, now)
        attempt.status = ladder.climb(attempt.status, "in_progress")
        attempt.answered_at = attempt.answered_at or now
        attempt.voice_at = attempt.voice_at or (clock() if clock else now)
        reply = render(speaking, step + 1, promised(attempt, context, speaking, now))
        _store_turn(session, attempt, event, reply, now)
    notice("new")
    return reply


@dataclass(frozen=True)
class Standing:
    """The document at which a call stands. `is_waiting`: the person was in conversation, and has heard nothing of us for a moment."""

    document: str
    is_waiting: bool


def lead_back(
    work: UnitOfWork, office: Office, token: str, failed: int | None, request: str, call_sid: str, now: datetime, render: Render
) -> Standing | None:  # fmt: skip
    """Where the call goes on after the carrier got no document of ours at the step `failed` (None: it does not say which).

    None at the second failure there: it is written down that we ended the call. `request` names the carrier's request, whose
    repeat is told the same. Raises UnknownAttempt.
    """
    session = work.session
    attempt = find_attempt(session, token)
    context = _context(session, office, attempt)
    if _is_over(session, attempt, call_sid, now):
        return Standing(render((Hangup(),), attempt.step, context), is_waiting=False)
    step = attempt.step if failed is None else min(failed, attempt.step)
    if not may_be_led_back(session, attempt, step, request, now):
        note_broken(session, token, now)
        return None
    return Standing(_lead_back(session, attempt, context, render), is_waiting=attempt.step > 0)


def _is_over(session: Session, attempt: CallAttempt, call_sid: str, now: datetime) -> bool:
    """Whether nothing more is to be said: the call has been settled, or this is a second leg, which is written down."""
    revive(session, attempt, call_sid, now)
    is_ours = bind_call(attempt, call_sid)
    if not is_ours:
        note_second_leg(session, attempt, call_sid, now)
    return attempt.settled_at is not None or not is_ours


def advance(
    work: UnitOfWork, office: Office, attempt: CallAttempt, event: Event, script: Script, now: datetime
) -> tuple[SpeakingAction, ...]:  # fmt: skip
    """Take one step of the flow, apply what it records, and return what is to be played."""
    state = _state(work.session, attempt, script, now)
    if state.node in DESK and isinstance(event, HungUp | LineFailed):
        transfers.leave(work, office, attempt, now)
        state = _state(work.session, attempt, script, now)
    if script.operator is not None:
        state = replace(state, operator_free=is_operator_free(work.session, now))
    was_at_desk = state.node in DESK
    state, actions = flow_callback.step(script, state, event) if callbacks.is_callback(attempt) else flow.step(script, state, event)
    for action in actions:
        if not isinstance(action, SPEAKING):
            apply(work, office, attempt, action, now)
    if was_at_desk or state.node in DESK:
        transfers.note(work, office, attempt, event, actions, state, now)
    _audit_answers(work.session, office, attempt, actions, now)
    attempt.flow_state = state.to_json()
    if state.ended and ladder.is_ended(attempt.status):  # otherwise the end of the call wakes the settlement
        work.later("settle", attempt.id)
    return tuple(action for action in actions if isinstance(action, SPEAKING))


def _state(session: Session, attempt: CallAttempt, script: Script, now: datetime) -> flow.State:
    if attempt.flow_state:
        return flow.State.from_json(attempt.flow_state)
    return callbacks.begin(session, attempt, script) if callbacks.is_callback(attempt) else begin(session, attempt, script, now)


def _told(session: Session, attempt: CallAttempt, script: Script, event: Event, now: datetime) -> Event:
    """The event as the desk knows it, where the call is there; a call that an operator makes is there from the beginning."""
    if not callbacks.is_callback(attempt) and (script.operator is None or not attempt.flow_state):
        return event
    return transfers.told(session, attempt, _state(session, attempt, script, now), event, now)


def apply(work: UnitOfWork, office: Office, attempt: CallAttempt, action: RecordingAction, now: datetime) -> None:
    """Write one recording action of the flow into the database."""
    match action:
        case SaveAnswer():
            _save_answer(work.session, attempt, action, now)
        case KeepRecording():
            keep_announced(work, attempt, action.item, action.carrier_sid, action.seconds, now)
        case DropRecording():
            discard(work, attempt, action.carrier_sid, now)
        case OptOut():
            opt_out(work.session, office, attempt.phone_key, "refused in the call", now, attempt.id)
        case Escalate(reason):
            escalate(work.session, office, attempt, reason, now, anew=True)
        case Withdraw(reason):
            withdraw(work.session, office, attempt, reason, now)
        case SetDisposition(disposition):
            attempt.disposition = disposition.word
        case CallLater(when):
            note_wish(work.session, attempt, when, now)


def _save_answer(session: Session, attempt: CallAttempt, given: SaveAnswer, now: datetime) -> None:
    put_answer(session, {
        "respondent_id": attempt.respondent_id, "attempt_id": attempt.id, "script_version_id": attempt.script_version_id,
        "item": given.item, "code": given.code, "score": given.score, "raw": given.raw, "mode": given.mode,
        "confidence": given.confidence, "answered_at": now,
    })  # fmt: skip
    if given.item == "consent":
        note_consent(session, attempt.respondent_id, given.code)


def _audit_answers(session: Session, office: Office, attempt: CallAttempt, actions: tuple[Action, ...], now: datetime) -> None:
    answers = [{"item": given.item, "code": given.code, "mode": given.mode} for given in actions if isinstance(given, SaveAnswer)]
    if answers:
        office.record(session, now, "system", "answer", f"attempt:{attempt.id}", answers=answers)


def _context(session: Session, office: Office, attempt: CallAttempt) -> TurnContext:
    """The same all through a call, so it is read once per call and process."""
    known = office.contexts.get(attempt.token)
    if known is not None:
        return known
    row = session.execute(select(Incident.occurred_at, Incident.zone).join(Respondent).where(Respondent.id == attempt.respondent_id)).one()
    script = office.script(session, attempt.script_version_id)
    listens = office.understands(script)
    given = prompts.variables(script, office.bureau, row.occurred_at, row.zone, by_voice=listens)
    context = TurnContext(attempt.token, script, given, listens)
    office.keep_context(attempt.token, context)
    return context


def _lead_back(session: Session, attempt: CallAttempt, context: TurnContext, render: Render) -> str:
    last = session.get(Turn, (attempt.id, attempt.step - 1))
    return last.reply if last else render((), attempt.step, context)


def _store_turn(session: Session, attempt: CallAttempt, event: Event, reply: str, now: datetime) -> None:
    node = "" if attempt.flow_state is None else str(attempt.flow_state.get("node", ""))
    turn = {"attempt_id": attempt.id, "step": attempt.step, "node": node, "event": events.to_json(event), "reply": reply, "at": now}
    put_turn(session, turn)
    attempt.step += 1
