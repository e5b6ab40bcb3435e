"""An operator's call to a person, seen from the call: what stands in its way, how it begins, and what is left of it (O23).

The attempt is there from the moment at which the operator asks for it (`planned`, holding no line), is claimed when the operator is on the
line, and is then dialled, reconciled and ended like every other. It changes nothing of when the machine calls the respondent.
"""

from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from survey import flow_callback
from survey.callback_rules import CALLBACK
from survey.contact_rules import may_call
from survey.errors import CannotUnseal
from survey.fieldwork.beginnings import answered
from survey.fieldwork.campaigns import rules_of
from survey.fieldwork.clearance import number_of
from survey.fieldwork.office import Office
from survey.fieldwork.suppressions import is_suppressed
from survey.fieldwork.ticket_notes import note_step
from survey.flow_state import State
from survey.ladder import is_ended
from survey.script import Script
from survey.store.models import CallAttempt, Escalation, Takeover
from survey.store.queries import fieldwork as queries
from survey.store.queries.desk import last_takeover
from survey.store.unit_of_work import UnitOfWork
from survey.working_days import CalendarMissing, calendar

LONGEST_WAIT = timedelta(seconds=30)
"""So long an operator waits for a line on which the person can be called."""
WAIT = "wait"
"""Nothing forbids the call, but no line is free yet."""


def is_callback(attempt: CallAttempt) -> bool:
    """Whether an operator calls the person, and not the machine."""
    return attempt.purpose == CALLBACK


def begin(session: Session, attempt: CallAttempt, script: Script) -> State:
    """The state in which the person picks up."""
    takeover = last_takeover(session, attempt.id)
    return flow_callback.start(script, answered(session, attempt.respondent_id), takeover.reason if takeover else "")


def obstacle(session: Session, office: Office, attempt: CallAttempt, takeover: Takeover | None, now: datetime) -> str:
    """Why the person must not be dialled now: empty where nothing is in the way, WAIT, or how the call back comes to its end."""
    if takeover is None or takeover.state != "ready" or takeover.ready_at is None:
        return "called_off"
    respondent = attempt.respondent
    try:
        number = number_of(office, respondent)
    except CannotUnseal:
        number = None
    if number is None or respondent.incident.phone_key is None:
        return "no_number"
    if is_suppressed(session, respondent.incident.phone_key):
        return "refused"
    if not _is_time(attempt, now):
        return "outside_hours"
    if _is_line_free(session, office, attempt):
        return ""
    return "no_line" if has_waited(takeover, now) else WAIT


def has_waited(takeover: Takeover, now: datetime) -> bool:
    """Whether the operator has been on the line for as long as they wait for a line to the person."""
    return takeover.ready_at is not None and now - takeover.ready_at >= LONGEST_WAIT


def _is_time(attempt: CallAttempt, now: datetime) -> bool:
    rules = rules_of(attempt.campaign)
    try:
        return may_call(rules, calendar(rules.calendar), now, attempt.respondent.incident.zone)
    except CalendarMissing:
        return False


def _is_line_free(session: Session, office: Office, attempt: CallAttempt) -> bool:
    """Whether nothing else of ours rings the number, and the lines suffice; the attempt is among those that are counted."""
    key = attempt.respondent.incident.phone_key
    if session.scalar(select(exists().where(CallAttempt.live_key == key))):
        return False
    return queries.lines_taken(session) <= (office.lines or attempt.campaign.lines)


def note_end(work: UnitOfWork, office: Office, takeover: Takeover, now: datetime) -> None:
    """The operator's part is over: what was not dialled is not dialled any more, what rings is called off; the case keeps a line."""
    attempt = takeover.attempt
    if attempt.status in ("planned", "claimed"):
        attempt.status, attempt.ended_at, attempt.settled_at = "canceled", now, now
    elif takeover.joined_at is None and not is_ended(attempt.status):
        work.later("call_off", attempt.id)
    case = case_of(work.session, attempt)
    if case is not None and takeover.state == "done":
        note_step(work.session, office, case, "system", "not_reached", takeover.result, now)


def case_of(session: Session, attempt: CallAttempt) -> Escalation | None:
    """The case in the human queue about which the person is called."""
    return session.scalars(select(Escalation).where(Escalation.respondent_id == attempt.respondent_id)).one_or_none()
