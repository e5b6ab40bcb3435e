"""How a call begins: with the answers of earlier calls, and with what may be promised in it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import flow
from survey.contact_rules import CallAt, PastAttempt, next_call
from survey.disposition import Disposition
from survey.fieldwork.bookings import stands
from survey.fieldwork.campaigns import rules_of
from survey.fieldwork.history import past_attempts, settled_attempts
from survey.fieldwork.respondents import is_reopened
from survey.script import Script
from survey.store.models import Answer, CallAttempt
from survey.working_days import CalendarMissing, calendar


def begin(session: Session, attempt: CallAttempt, script: Script, now: datetime, *, postponing: bool = False) -> flow.State:
    """The state in which the attempt's conversation begins: what was answered in earlier calls is not asked again.

    `postponing`: the person has already said that it shall be another time.
    """
    answers = {} if attempt.number == 1 else answered(session, attempt.respondent_id)
    return flow.start(script, answers, may_postpone=_may_postpone(session, attempt, now), postponing=postponing)


def answered(session: Session, respondent_id: int) -> dict[str, str]:
    """The respondent's answers so far, over all calls: item to code."""
    rows = session.execute(select(Answer.item, Answer.code).where(Answer.respondent_id == respondent_id).order_by(Answer.id))
    return dict(rows.all())


def _may_postpone(session: Session, attempt: CallAttempt, now: datetime) -> bool:
    """Whether settlement would bring one more call if the person put this one off (R15)."""
    respondent = attempt.respondent
    if is_reopened(respondent):
        return False
    rules = rules_of(respondent.campaign)
    history = [] if attempt.number == 1 else past_attempts(settled_attempts(session, respondent.id))
    put_off = [*history, PastAttempt(now, Disposition.NOT_AVAILABLE, declined=True, ours=attempt.direction == "out")]
    try:
        decision = next_call(rules, calendar(rules.calendar), put_off, now, respondent.incident.zone)
    except CalendarMissing:
        return True
    return isinstance(decision, CallAt) or stands(attempt, decision)
