"""A call that waits for an operator, seen from the call: what the desk has to tell it, and what becomes of the takeover with it.

The desk's own side (who claims it, whose telephone rings) is `survey.desk`; both change the same row, each under its lock.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from survey.actions import Action, Escalate, Join, Transfer, Withdraw
from survey.events import Event, HungUp, LineFailed, MachineAnswered, OperatorReady, TransferEnded
from survey.fieldwork import callbacks
from survey.fieldwork.escalations import escalate, withdraw
from survey.fieldwork.office import Office
from survey.flow_operator import DESK, with_answers
from survey.flow_state import State
from survey.script import WAITING
from survey.store.models import CallAttempt, Duty, Offer, Takeover
from survey.store.queries.desk import is_sorting_another, last_takeover, open_takeover, written_answers
from survey.store.unit_of_work import UnitOfWork

ENDS = (HungUp, LineFailed, MachineAnswered)
MET = timedelta(seconds=5)
"""Two who were so long in one room have met, whether or not the carrier has told of it."""


def told(session: Session, attempt: CallAttempt, state: State, event: Event, now: datetime) -> Event:
    """What an event means while the call is at the desk: the carrier only says that a wait or a talk is over, the row says how."""
    if state.node not in DESK or isinstance(event, ENDS):
        return event
    takeover = open_takeover(session, attempt.id)
    if takeover is None:
        return _late(session, attempt)
    if state.node == WAITING:
        if takeover.result:
            return TransferEnded(takeover.result)
        return OperatorReady() if takeover.state == "ready" else event
    answers = written_answers(session, takeover.id)
    if takeover.wish:
        return TransferEnded(takeover.wish, answers)
    return TransferEnded("ended" if takeover.bridged_at or _have_met(takeover, now) else "lost", answers)


def _have_met(takeover: Takeover, now: datetime) -> bool:
    return takeover.joined_at is not None and (takeover.released_at or now) - takeover.joined_at >= MET


def _late(session: Session, attempt: CallAttempt) -> Event:
    """The end of the call was reported before the end of the talk in it."""
    takeover = last_takeover(session, attempt.id)
    if takeover is None or takeover.bridged_at is None:
        return TransferEnded("failed")
    return TransferEnded(takeover.wish or "ended", written_answers(session, takeover.id))


def leave(work: UnitOfWork, office: Office, attempt: CallAttempt, now: datetime, result: str = "left") -> None:
    """The call is over: whoever is at the desk learns it at once, also while a late word from the line may still come (O12).

    What was written down in the talk counts from here on, so that it can be sorted out and nothing is lost to the call's verdict.
    """
    takeover = open_takeover(work.session, attempt.id)
    if takeover is not None:
        close(work, office, takeover, result, now)
        count_written(work.session, office, attempt, written_answers(work.session, takeover.id), now)


def count_written(session: Session, office: Office, attempt: CallAttempt, answers: Mapping[str, str], now: datetime) -> None:
    """Let what an operator wrote down (item to code) count for the call and for its case: reasons given or taken back (R33, R35)."""
    if attempt.flow_state is None or not answers:
        return
    script = office.script(session, attempt.script_version_id)
    state, weighed = with_answers(script, State.from_json(attempt.flow_state), answers)
    attempt.flow_state = state.to_json()
    for action in weighed:
        match action:
            case Escalate(reason):
                escalate(session, office, attempt, reason, now)
            case Withdraw(reason):
                withdraw(session, office, attempt, reason, now)


def note(
    work: UnitOfWork, office: Office, attempt: CallAttempt, event: Event, actions: Iterable[Action], after: State, now: datetime
) -> None:  # fmt: skip
    """Open, carry on or close the call's takeover, as a step of the flow has it."""
    takeover = open_takeover(work.session, attempt.id)
    if after.node not in DESK:
        if takeover is not None:
            close(work, office, takeover, event.result if isinstance(event, TransferEnded) else "left", now)
        return
    for action in actions:
        match action:
            case Transfer(reason) if takeover is None:
                _open(work.session, office, attempt, reason, now)
            case Join() if takeover is not None and takeover.state == "ready":
                takeover.state, takeover.joined_at = "talking", now
                takeover.version += 1
    work.session.flush()


def _open(session: Session, office: Office, attempt: CallAttempt, reason: str, now: datetime) -> None:
    session.add(Takeover(attempt_id=attempt.id, reason=reason, opened_at=now))
    session.flush()
    office.record(session, now, "system", "takeover.open", f"attempt:{attempt.id}", reason=reason)


def close(work: UnitOfWork, office: Office, takeover: Takeover, result: str, now: datetime) -> None:
    """The person's part is over: who has talked sorts the call out; who has not is free again, or goes on with an older call."""
    session, talked = work.session, takeover.state == "talking"
    takeover.ended_at, takeover.result, takeover.state = now, result, "wrap" if talked else "done"
    takeover.version += 1
    if talked:
        takeover.wrap_until = now + timedelta(seconds=office.desk.wrap)
    if takeover.operator_id is not None:
        state = "wrapping" if talked or is_sorting_another(session, takeover) else "free"
        talking = update(Duty).where(Duty.user_id == takeover.operator_id, Duty.state == "talking")
        session.execute(talking.values(state=state, since=now))
    session.execute(update(Offer).where(Offer.takeover_id == takeover.id, Offer.outcome == "open").values(outcome="gone"))
    session.flush()
    office.record(session, now, "system", "takeover.end", f"takeover:{takeover.public_id}", result=result)
    if takeover.ring_asked_at is not None and takeover.released_at is None:
        work.later("let_go", takeover.id)
    if callbacks.is_callback(takeover.attempt):
        callbacks.note_end(work, office, takeover, now)
