"""An operator calls the person of a ticket back: whether it may be done now, how it begins, how it is called off (O23).

The operator's own telephone rings first, as for a call that is taken over; the person is dialled when the operator is on the line. From
then on it is a takeover like every other. The person's side of the call is `survey.fieldwork.callbacks`.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from survey.callback_rules import CALLBACK, next_callback, tries
from survey.casework import tickets
from survey.contact_rules import Close
from survey.desk.duty import WORKING
from survey.desk.takeovers import mine
from survey.errors import BadInput, NotAllowed
from survey.fieldwork import transfers
from survey.fieldwork.callbacks import case_of, is_callback
from survey.fieldwork.campaigns import rules_of
from survey.fieldwork.history import callbacks_of
from survey.fieldwork.office import Office
from survey.fieldwork.suppressions import is_suppressed
from survey.fieldwork.ticket_notes import note_step
from survey.order_moves import Actor
from survey.store.models import CallAttempt, Duty, Escalation, Takeover, User
from survey.store.queries import dialling
from survey.store.queries.desk import open_callback
from survey.store.unit_of_work import UnitOfWork
from survey.working_days import CalendarMissing, calendar
from survey.wrap_ups import ASKED_FOR

URGENCY = ("danger", "human_requested", "abuse_alleged", "dissatisfied")
"""Of several reasons of a case the first one here is whispered."""


@dataclass(frozen=True)
class Standing:
    """Whether the person of a ticket may be called back: from `at` on, or not, for a reason of `callback_rules.REASONS`.

    `tries` calls of at most `most` have reached nobody since somebody was reached; `going_on` is the public id of a call back under way.
    """

    at: datetime | None
    reason: str = ""
    tries: int = 0
    most: int = 0
    going_on: str = ""

    def is_open(self, now: datetime) -> bool:
        """Whether the call may be made now."""
        return self.at is not None and self.at <= now


@dataclass(frozen=True)
class Course:
    """A call back as its operator sees it: of which ticket, what the line says (a word of `survey.ladder`), and when to try again."""

    ticket: str
    status: str
    again: Standing


def standing(session: Session, office: Office, case: Escalation, now: datetime) -> Standing:
    """Whether and when the person of this ticket may be called back, by the rules of contact of its campaign."""
    respondent = case.respondent
    going_on = open_callback(session, respondent.id)
    if going_on is not None:
        return Standing(None, "going_on", going_on=going_on.public_id)
    reason = _forbidden(session, case)
    if reason:
        return Standing(None, reason)
    rules, history = rules_of(respondent.campaign), callbacks_of(session, respondent.id)
    count = tries(history), rules.max_attempts
    try:
        found = next_callback(rules, calendar(rules.calendar), history, now, respondent.incident.zone)
    except (CalendarMissing, BadInput):
        return Standing(None, "no_calendar", *count)
    return Standing(None, found.reason, *count) if isinstance(found, Close) else Standing(found, "", *count)


def _forbidden(session: Session, case: Escalation) -> str:
    """What forbids the call at any time."""
    if case.state != "open":
        return "closed"
    key = case.respondent.incident.phone_key
    if key is None:
        return "no_number"
    if is_suppressed(session, key):
        return "refused"
    return "no_contact" if case.consent == "no" and not ASKED_FOR & set(case.reasons) else ""


def begin(work: UnitOfWork, office: Office, ticket_id: str, actor: Actor, user: User, now: datetime) -> Takeover:
    """Claim the ticket and ring the operator's telephone; the person is dialled when it is answered.

    Raises NotFound, tickets.Taken for somebody else's ticket, NotAllowed for who is not on duty or is in a call, and where the person may
    not be called now.
    """
    session = work.session
    dialling.one_at_a_time(session)
    case = tickets.claim(session, office, ticket_id, actor, now)
    _check(standing(session, office, case, now), now)
    on_duty = update(Duty).where(Duty.user_id == user.id, Duty.state.in_(WORKING)).values(state="talking", since=now, misses=0, note="")
    if not session.execute(on_duty).rowcount:  # type: ignore[attr-defined]
        raise NotAllowed("请先在值班台上岗，并结束手上的通话 / go on duty at the desk first, and finish the call you are in")
    attempt = _plan(session, case, now)
    reason = min(case.reasons, key=URGENCY.index)
    takeover = Takeover(attempt_id=attempt.id, reason=reason, state="claimed", operator_id=user.id, opened_at=now, claimed_at=now)
    session.add(takeover)
    session.flush()
    note_step(session, office, case, user.name, "call_back", "", now)
    office.record(session, now, user.name, "takeover.call_back", f"takeover:{takeover.public_id}", attempt=attempt.id)
    work.later("ring_desk", takeover.id)
    return takeover


def _check(found: Standing, now: datetime) -> None:
    if not found.is_open(now):
        raise NotAllowed("此刻不能回拨，原因见个案页面 / this person cannot be called back now: the page of the ticket says why")


def _plan(session: Session, case: Escalation, now: datetime) -> CallAttempt:
    respondent = case.respondent
    number = dialling.last_numbers(session, [respondent.id]).get(respondent.id, 0) + 1
    attempt = CallAttempt(
        campaign_id=respondent.campaign_id, respondent_id=respondent.id, number=number, purpose=CALLBACK, token=uuid.uuid4().hex,
        phone_key=respondent.incident.phone_key, status="planned", script_version_id=respondent.campaign.script_version_id, claimed_at=now,
    )  # fmt: skip
    session.add(attempt)
    session.flush()
    return attempt


def call_off(work: UnitOfWork, office: Office, public_id: str, user: User, now: datetime) -> None:
    """Let it be before the person is there: both telephones stop ringing. Raises as `takeovers.mine`, NotAllowed for another's call."""
    takeover = mine(work.session, public_id, user, "claimed", "ready")
    if not is_callback(takeover.attempt):
        raise NotAllowed("来电不能取消 / only a call back can be called off")
    office.record(work.session, now, user.name, "takeover.call_off", f"takeover:{takeover.public_id}")
    transfers.close(work, office, takeover, "called_off", now)


def course(session: Session, office: Office, takeover: Takeover, now: datetime) -> Course | None:
    """How a call back stands; None for a call that was taken over."""
    case = case_of(session, takeover.attempt)
    if not is_callback(takeover.attempt) or case is None:
        return None
    return Course(case.public_id, takeover.attempt.status, standing(session, office, case, now))
