"""After a call: its verdict, what it cost and whether it was silent, and what becomes of the respondent (R15–R18, R39)."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import disposition as dispositions
from survey import flow
from survey.alarms import AlarmKind
from survey.contact_rules import DECLINING, FINAL, CallAt, Rules, next_call, next_opening
from survey.disposition import Disposition
from survey.events import HungUp, LineFailed
from survey.fieldwork import limits, silence, transfers
from survey.fieldwork.alarms import raise_alarm
from survey.fieldwork.attempts import was_broken
from survey.fieldwork.beginnings import answered
from survey.fieldwork.bookings import stands
from survey.fieldwork.callbacks import is_callback
from survey.fieldwork.campaigns import finish_if_done, rules_of
from survey.fieldwork.clearance import ASK_AGAIN
from survey.fieldwork.history import BARRED, past_attempts, settled_attempts
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import change_disposition, close, give_back, is_reopened, wait_again
from survey.fieldwork.suppressions import is_suppressed
from survey.fieldwork.turns import advance
from survey.flow_state import interview
from survey.ladder import is_ended
from survey.store.models import CallAttempt, Escalation
from survey.store.unit_of_work import UnitOfWork
from survey.working_days import CalendarMissing, calendar

LATE_TURN_GRACE = timedelta(seconds=30)
"""How long after the end a last key or recording may still arrive: web-hooks overtake each other."""

BY_STATUS = {
    "busy": Disposition.BUSY, "no_answer": Disposition.NO_ANSWER, "canceled": Disposition.NO_ANSWER,
    "failed": Disposition.TECHNICAL, "rejected": Disposition.TECHNICAL, "completed": Disposition.NOT_CONFIRMED,
}  # fmt: skip
REACHED_NOBODY = {
    "busy": "busy", "no_answer": "no_answer", "canceled": "called_off", "failed": "unreachable", "rejected": "unreachable",
    "completed": "unreachable",
}  # fmt: skip
"""How a call back came to its end that nobody picked up, by the status of the call."""
NO_SUCH_NUMBER = frozenset({"404", "410", "484", "604", "21211", "21214", "21217", "13224"})
BLOCKED = BARRED | {"403", "603", "607", "608"}


def settle(work: UnitOfWork, office: Office, attempt_id: int, now: datetime) -> bool:
    """Give the ended attempt its disposition and decide the respondent's next step; False when it is too early or done."""
    attempt = work.session.get(CallAttempt, attempt_id, with_for_update=True)
    if attempt is None or attempt.settled_at is not None or not is_ended(attempt.status):
        return False
    if is_callback(attempt):
        return _settle_callback(work, office, attempt, now)
    if attempt.status == "canceled" and attempt.ringing_at is None and attempt.answered_at is None:
        if attempt.ended_at is not None and now < attempt.ended_at + LATE_TURN_GRACE:
            return False  # the report that it rang may still be under way, and the carrier's record of a call does not tell
        give_back(work.session, attempt, "canceled", now, now)  # called off by us before it rang: nobody was disturbed
        finish_if_done(work.session, office, attempt.campaign, now)
        return True
    if not _end_conversation(work, office, attempt, now):
        return False
    if attempt.disposition is None:
        attempt.disposition = _by_carrier(attempt).word
    attempt.settled_at = now
    silence.judge(attempt)
    work.session.flush()
    decide_next(work.session, attempt, now)
    _guard(work.session, attempt, now)
    finish_if_done(work.session, office, attempt.campaign, now)
    return True


def _end_conversation(work: UnitOfWork, office: Office, attempt: CallAttempt, now: datetime) -> bool:
    """End a conversation of which no last word came; False while one may still come."""
    if _conversation_over(attempt):
        return True
    if attempt.ended_at is not None and now < attempt.ended_at + LATE_TURN_GRACE:
        transfers.leave(work, office, attempt, now)
        return False
    end = LineFailed() if was_broken(work.session, attempt) else HungUp()
    advance(work, office, attempt, end, office.script(work.session, attempt.script_version_id), now)
    return True


def _settle_callback(work: UnitOfWork, office: Office, attempt: CallAttempt, now: datetime) -> bool:
    """The call of an operator is over: the operator learns how, and what was written down counts for the interview.

    When the machine calls the respondent, and whether at all, stays as it was, unless the interview is complete by now.
    """
    session = work.session
    transfers.leave(work, office, attempt, now, REACHED_NOBODY.get(attempt.status, "left") if attempt.flow_state is None else "left")
    if not _end_conversation(work, office, attempt, now):
        return False
    attempt.settled_at = now
    weigh_callback(session, attempt, now)
    silence.judge(attempt)
    session.flush()
    _guard(session, attempt, now)
    finish_if_done(session, office, attempt.campaign, now)
    return True


def weigh_callback(session: Session, attempt: CallAttempt, now: datetime) -> None:
    """Give an operator's call its verdict and the case its disposition; an interview that is complete by now ends the case.

    Any number of times: what the operator writes down while sorting the call out counts like what was written in the talk.
    """
    respondent = attempt.respondent
    attempt.disposition = _of_callback(session, attempt)
    weigh_case(session, attempt, now)
    if respondent.state == "waiting" and Disposition.from_word(respondent.disposition) in FINAL:
        close(respondent, "finished", now)


def weigh_case(session: Session, attempt: CallAttempt, now: datetime) -> list[CallAttempt]:
    """Give the case the disposition that all its calls and answers amount to, this call among them; the calls that counted."""
    session.flush()
    respondent = attempt.respondent
    settled = settled_attempts(session, respondent.id)
    verdicts = [Disposition.from_word(past.disposition) for past in settled if past.disposition]
    if verdicts:
        change_disposition(session, respondent, dispositions.of_case(verdicts, answered(session, respondent.id)), now, attempt.id)
    return settled


def _of_callback(session: Session, attempt: CallAttempt) -> str | None:
    """The verdict of an operator's call; none where nothing rang. An interview that was whole before is none of this call.

    What was answered before is told by the `known` items, which the answers of this call leave as they are: it may be asked again.
    """
    if attempt.answered_at is not None and attempt.flow_state is not None:
        before = flow.State.from_json(attempt.flow_state)
        after = replace(before, answers={**before.answers, **answered(session, attempt.respondent_id)})
        attempt.flow_state = after.to_json()
        was = interview(replace(before, answers={item: before.answers.get(item, "") for item in before.known}))
        is_interview = interview(after) is not Disposition.BREAK_OFF and was is not Disposition.COMPLETE
        return interview(after).word if is_interview else Disposition.OTHER.word
    verdict = _by_carrier(attempt)
    rang = attempt.ringing_at is not None or attempt.status in ("busy", "no_answer", "completed") or verdict is not Disposition.TECHNICAL
    is_called_off = attempt.status == "canceled" and attempt.ringing_at is None
    return verdict.word if rang and not is_called_off else None


def _guard(session: Session, attempt: CallAttempt, now: datetime) -> None:
    """Let the guards of dialling weigh what this call adds."""
    if attempt.abandoned:
        silence.check(session, attempt.campaign, now)
    if attempt.seconds and attempt.direction == "out":
        limits.check_spend(session, attempt.campaign, now)


def _conversation_over(attempt: CallAttempt) -> bool:
    return attempt.flow_state is None or flow.State.from_json(attempt.flow_state).ended


def _by_carrier(attempt: CallAttempt) -> Disposition:
    if attempt.status in ("failed", "rejected") and attempt.error in NO_SUCH_NUMBER:
        return Disposition.NO_SUCH_NUMBER
    if attempt.status in ("failed", "rejected") and attempt.error in BLOCKED:
        return Disposition.BLOCKED
    return BY_STATUS[attempt.status]


def decide_next(session: Session, attempt: CallAttempt, now: datetime) -> None:
    """Give the respondent its disposition so far, and either a next due time or an end.

    A call-back that was booked in this call or later keeps its time, unless the person declined; one that this call has
    served is forgotten.
    """
    respondent = attempt.respondent
    settled = weigh_case(session, attempt, now)
    if respondent.state in ("closed", "needs_review"):
        return
    if is_suppressed(session, attempt.phone_key):
        close(respondent, "opted_out", now)
        return
    if _is_handed_over(session, respondent.id):
        close(respondent, "handed_over", now)
        return
    if is_reopened(respondent):
        close(respondent, _reason_now(attempt), now)
        return
    try:
        _choose_next(session, attempt, settled, now)
    except CalendarMissing as missing:  # the days are looked at again until the year is loaded
        raise_alarm(session, AlarmKind.CALENDAR_MISSING, str(missing.year), now, year=missing.year)
        wait_again(session, respondent, now + ASK_AGAIN, now)


def _reason_now(attempt: CallAttempt) -> str:
    """Why a case is closed again after the person's call to us: by what the call has changed, else as before."""
    respondent = attempt.respondent
    if Disposition.from_word(respondent.disposition) in FINAL:
        return "finished"
    declined = attempt.disposition in {each.word for each in DECLINING}
    return "declined" if declined else str(respondent.close_reason)


def _choose_next(session: Session, attempt: CallAttempt, settled: list[CallAttempt], now: datetime) -> None:
    """When the respondent is called next, or that it is not. Raises CalendarMissing."""
    respondent = attempt.respondent
    rules, zone = rules_of(attempt.campaign), respondent.incident.zone
    decision = next_call(rules, calendar(rules.calendar), past_attempts(settled), now, zone)
    if stands(attempt, decision):
        wait_again(session, respondent, max(now, respondent.booked_for or now), now)
        return
    respondent.booked_for, respondent.booked_by = None, ""
    if isinstance(decision, CallAt):
        left_alone = _left_alone_until(session, attempt, rules, now)
        due = decision.at if left_alone is None else max(decision.at, next_opening(rules, calendar(rules.calendar), left_alone, zone))
        wait_again(session, respondent, due, now)
    else:
        close(respondent, decision.reason, now)


def _left_alone_until(session: Session, attempt: CallAttempt, rules: Rules, now: datetime) -> datetime | None:
    """Until when the number must be left alone: it heard silence, or the person has just called us and said what was to be said."""
    silent = silence.left_alone_until(session, attempt.phone_key, now)
    spoken = now + timedelta(minutes=rules.spacing_minutes) if attempt.direction == "in" else None
    return max(filter(None, (silent, spoken)), default=None)


def _is_handed_over(session: Session, respondent_id: int) -> bool:
    """Whether a person now owes the call: who asked for a human, or is in danger, must not be rung by the machine again."""
    reasons = session.scalar(select(Escalation.reasons).where(Escalation.respondent_id == respondent_id)) or []
    return bool({"human_requested", "danger"} & set(reasons))
