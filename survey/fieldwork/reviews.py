"""Respondents of whom only a person can say what becomes of them: why they wait, and what was decided."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.contact_rules import next_opening
from survey.errors import BadInput, NotAllowed, NotFound
from survey.fieldwork.alarms import clear_alarm, raise_alarm
from survey.fieldwork.campaigns import finish_if_done, rules_of
from survey.fieldwork.holds import scope_of
from survey.fieldwork.office import Office
from survey.fieldwork.respondents import close, wait_again
from survey.store.models import CallAttempt, Campaign, CarrierEvent, Respondent
from survey.working_days import CalendarMissing, calendar

REASONS = {
    "several_calls": ("运营商处有多个通话与一次呼叫相符", "The carrier has several calls that may be this one"),
    "list_unreadable": ("24 小时内无法向运营商核实", "The carrier's list could not be read for 24 hours"),
    "never_listed": ("运营商通话清单多次查无此呼叫", "The carrier's list never shows the calls that were asked for"),
    "unreadable": ("号码无法解密", "The number cannot be read: its key is missing, or the row was altered"),
    "unlisted_code": ("运营商以未知代码拒绝", "The carrier refused with a code that we do not know"),
}
"""Words of `Respondent.review_reason` with their names."""
VERDICTS = ("call_again", "close")
CANDIDATE = "candidate"
"""Kind of the carrier event that keeps one of several calls that may be the attempt's."""


@dataclass(frozen=True)
class Review:
    """A respondent that waits for a person: the last attempt with what the carrier said, and the calls that may be it."""

    respondent_id: int
    public_id: str
    incident_number: str
    campaign: str
    campaign_public_id: str
    reason: str  # a word of REASONS
    attempt_id: int | None
    error: str
    requested_at: datetime | None
    sids: tuple[str, ...]


def ask_review(session: Session, respondent: Respondent, reason: str, now: datetime) -> None:
    """Leave the respondent to a person; nobody is dialled meanwhile."""
    respondent.state, respondent.review_reason, respondent.due_at = "needs_review", reason, None
    raise_alarm(session, AlarmKind.NEEDS_REVIEW, scope_of(respondent.campaign), now, reason=reason)


def needs_review(session: Session, campaign_id: int | None = None) -> list[Review]:
    """Everybody who waits for a person, in one campaign or in all, oldest campaign first."""
    waiting = select(Respondent).where(Respondent.state == "needs_review").order_by(Respondent.campaign_id, Respondent.id)
    found = session.scalars(waiting if campaign_id is None else waiting.where(Respondent.campaign_id == campaign_id))
    return [_review(session, respondent) for respondent in found]


def _review(session: Session, respondent: Respondent) -> Review:
    mine = select(CallAttempt).where(CallAttempt.respondent_id == respondent.id).order_by(CallAttempt.number.desc()).limit(1)
    last = session.scalar(mine)
    return Review(
        respondent.id, respondent.public_id, respondent.incident.number, respondent.campaign.name, respondent.campaign.public_id,
        respondent.review_reason,
        last.id if last else None, last.error if last else "", last.requested_at if last else None, _sids(session, last),
    )  # fmt: skip


def _sids(session: Session, attempt: CallAttempt | None) -> tuple[str, ...]:
    if attempt is None:
        return ()
    kept = select(CarrierEvent.key).where(CarrierEvent.attempt_id == attempt.id, CarrierEvent.kind == CANDIDATE)
    own = [attempt.carrier_sid] if attempt.carrier_sid else []
    return (*own, *session.scalars(kept.order_by(CarrierEvent.id)))


def resolve(session: Session, office: Office, respondent_id: int, verdict: str, by: str, reason: str, now: datetime) -> None:
    """A person decides: `call_again` has the respondent wait for the next opening, `close` ends it as `reviewed`.

    Raises NotFound; BadInput for another verdict or no reason; NotAllowed when the respondent waits for nobody, or is to be
    called in a campaign that has ended.
    """
    if verdict not in VERDICTS:
        raise BadInput(f"决定须为 {' 或 '.join(VERDICTS)} / the verdict must be one of {', '.join(VERDICTS)}", "verdict")
    if not reason.strip():
        raise BadInput("请写明原因 / a reason is needed", "reason")
    respondent = session.get(Respondent, respondent_id, with_for_update=True)
    if respondent is None:
        raise NotFound(f"没有编号为 {respondent_id} 的对象 / there is no respondent {respondent_id}")
    if respondent.state != "needs_review":
        raise NotAllowed(f"对象 {respondent_id} 无须核查 / respondent {respondent_id} needs no review")
    campaign: Campaign = respondent.campaign
    if verdict == "close":
        close(respondent, "reviewed", now)
    elif campaign.state in ("stopped", "finished"):
        raise NotAllowed(f"任务已结束，只能关闭 / the campaign is {campaign.state}: only close is possible")
    else:
        wait_again(session, respondent, _opening(respondent, now), now)
    before, respondent.review_reason = respondent.review_reason, ""
    office.record(session, now, by, f"review.{verdict}", f"respondent:{respondent.public_id}", waited_for=before, reason=reason)
    session.flush()
    if not needs_review(session, campaign.id):
        clear_alarm(session, AlarmKind.NEEDS_REVIEW, scope_of(campaign), now)
    finish_if_done(session, office, campaign, now)


def _opening(respondent: Respondent, now: datetime) -> datetime:
    """From when on it may be called; where no calendar tells, from now on."""
    rules = rules_of(respondent.campaign)
    try:
        return next_opening(rules, calendar(rules.calendar), now, respondent.incident.zone)
    except CalendarMissing:  # looked at again before the call, with an alarm
        return now
