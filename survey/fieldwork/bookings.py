"""Call-backs at a promised time: asked for by the person with key 9, or booked by an operator."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from survey.actions import Say, SpeakingAction
from survey.booking_times import booking, first_opening, spoken
from survey.contact_rules import may_call
from survey.errors import BadInput, NotAllowed
from survey.fieldwork.campaigns import rules_of
from survey.fieldwork.office import Office, TurnContext
from survey.fieldwork.suppressions import is_suppressed
from survey.store.models import CallAttempt, Respondent
from survey.store.rows import read_again
from survey.working_days import CalendarMissing, calendar

BY_RESPONDENT = "respondent"
BOOKED = Say("notice.booked")


def note_wish(session: Session, attempt: CallAttempt, when: str, now: datetime) -> None:
    """Book the call-back that the person asked for in the call; without a wish the contact rules choose the time.

    Settlement lets the booked time win. Beyond the last calendar nothing is booked: the rules choose then, too.
    """
    if not when:
        return
    respondent = attempt.respondent
    rules = rules_of(respondent.campaign)
    try:
        respondent.booked_for = booking(rules, calendar(rules.calendar), when, now, respondent.incident.zone).at
    except CalendarMissing:
        return
    respondent.booked_by = BY_RESPONDENT


def promised(attempt: CallAttempt, context: TurnContext, speaking: tuple[SpeakingAction, ...], now: datetime) -> TurnContext:
    """The context in which the booked time can be said back, worded from what was booked."""
    if BOOKED not in speaking:
        return context
    respondent, language = attempt.respondent, context.script.language
    if respondent.booked_for is None:
        words = "改天" if language.startswith("zh") else "another day"
    else:
        words = spoken(respondent.booked_for, now, respondent.incident.zone, language)
    return replace(context, variables=replace(context.variables, callback_time=words))


def book(session: Session, office: Office, respondent: Respondent, at: datetime, by: str, now: datetime) -> None:
    """Promise a waiting respondent a call at `at`.

    Raises BadInput outside the windows, naming the nearest opening in the bureau's time; NotAllowed for somebody who is not
    waited for or must not be called.
    """
    read_again(session, respondent)
    if respondent.state != "waiting" or respondent.phone_key is None:
        raise NotAllowed("此人不在待呼之列，不能预约 / this respondent does not wait for a call and cannot be booked")
    if is_suppressed(session, respondent.phone_key):
        raise NotAllowed("此号码已登记不再接听，不能预约 / this number is on the refusal list and cannot be booked")
    rules, zone = rules_of(respondent.campaign), respondent.incident.zone
    open_days = calendar(rules.calendar)
    if at <= now:
        raise BadInput("预约时间已过，请另选时间 / the time has passed: give a later one", "at")
    if not may_call(rules, open_days, at, zone):
        nearest = f"{first_opening(rules, open_days, at, zone).at.astimezone(office.bureau.tzinfo):%Y-%m-%d %H:%M}"
        raise BadInput(
            f"预约时间不在拨打时段内，最近可预约 {nearest} / outside the calling windows; the nearest opening is {nearest}", "at"
        )
    respondent.booked_for, respondent.booked_by, respondent.due_at = at, by[:64], at
    office.record(session, now, by, "contact.book", f"respondent:{respondent.public_id}", booked_for=at.isoformat())
