"""Call-backs at a promised time: asked for by the person with key 9, or booked by an operator."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from survey.actions import Say, SpeakingAction
from survey.booking_times import booking, first_opening, spoken
from survey.contact_rules import CallAt, Close, Rules, may_call
from survey.errors import BadInput, NotAllowed
from survey.fieldwork.campaigns import rules_of
from survey.fieldwork.office import Office, TurnContext
from survey.fieldwork.suppressions import is_suppressed
from survey.store.models import CallAttempt, Respondent
from survey.store.queries.fieldwork import open_replicate
from survey.store.rows import read_again
from survey.working_days import CalendarMissing, calendar

BY_RESPONDENT = "respondent"
BOOKED = Say("notice.booked")
FARTHEST = timedelta(days=30)
"""An operator promises nothing later than this: the campaign would wait for that one call."""
OVERRULING = (Close("finished"), Close("declined"))
"""What the contact rules decide against a booking: an interview has served it, and whoever declined has taken it back (R15)."""


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


def stands(attempt: CallAttempt, decision: CallAt | Close) -> bool:
    """Whether a call-back was booked in this call or for later, and the contact rules' `decision` after the call lets it be."""
    booked = attempt.respondent.booked_for
    return booked is not None and booked > (attempt.requested_at or attempt.claimed_at) and decision not in OVERRULING


def book(session: Session, office: Office, respondent: Respondent, at: datetime, by: str, now: datetime) -> None:
    """Promise a waiting respondent a call at `at`.

    Somebody never called whose replicate is not released yet is not booked (R11), though a person who calls us may choose a
    time: an operator must not pick from the sample. Raises BadInput for a time that cannot be promised, outside the windows
    with the nearest opening in the bureau's time; NotAllowed for somebody who is not waited for or must not be called.
    """
    read_again(session, respondent)
    if respondent.state != "waiting" or respondent.phone_key is None:
        raise NotAllowed("此人不在待呼之列，不能预约 / this respondent does not wait for a call and cannot be booked")
    if is_suppressed(session, respondent.phone_key):
        raise NotAllowed("此号码已登记不再接听，不能预约 / this number is on the refusal list and cannot be booked")
    if not _is_released(session, respondent):
        raise NotAllowed(
            "此人所在的样本批次尚未开始拨打，不能预约；本人来电可随时接受回访"
            " / this respondent's batch of the sample is not being called yet and cannot be booked; who calls us is interviewed at once"
        )
    _check_time(office, rules_of(respondent.campaign), at, respondent.incident.zone, now)
    respondent.booked_for, respondent.booked_by, respondent.due_at = at, by[:64], at
    office.record(session, now, by, "contact.book", f"respondent:{respondent.public_id}", booked_for=at.isoformat())


def _is_released(session: Session, respondent: Respondent) -> bool:
    last = open_replicate(session, respondent.campaign_id)
    return respondent.tries > 0 or last is None or respondent.replicate <= last


def _check_time(office: Office, rules: Rules, at: datetime, zone: str, now: datetime) -> None:
    if at <= now:
        raise BadInput("预约时间已过，请另选时间 / the time has passed: give a later one", "at")
    if at > now + FARTHEST:
        raise BadInput(f"最多可提前 {FARTHEST.days} 天预约，请另选时间 / at most {FARTHEST.days} days ahead: give an earlier time", "at")
    days = calendar(rules.calendar)
    try:
        if may_call(rules, days, at, zone):
            return
        nearest = f"{first_opening(rules, days, at, zone).at.astimezone(office.bureau.tzinfo):%Y-%m-%d %H:%M}"
    except CalendarMissing as missing:
        year = missing.year
        raise BadInput(
            f"{year} 年的节假日安排尚未载入，请另选时间 / no holiday calendar for {year} is loaded: give an earlier time", "at"
        ) from None
    raise BadInput(f"预约时间不在拨打时段内，最近可预约 {nearest} / outside the calling windows; the nearest opening is {nearest}", "at")
