"""The way into the human queue: one case per respondent, however many reasons it gathers (R33–R36)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.alarms import AlarmKind
from survey.fieldwork.alarms import raise_alarm
from survey.fieldwork.campaigns import rules_of
from survey.fieldwork.office import Office
from survey.store.models import CallAttempt, Escalation, Order, Recall
from survey.store.queries.recalls import INSPECTION, cases_about, is_about_inspection
from survey.working_days import CalendarMissing, calendar, deadline


@dataclass(frozen=True)
class Handling:
    """How a reason is handled: `priority` 1 at once, 2 today, 3 in time; `route` who sees it; `days` working days (None: the setting)."""

    priority: int
    route: str
    days: int | None


HANDLING = {
    "danger": Handling(1, "centre", 0),
    "abuse_alleged": Handling(1, "inspection", 1),  # never to the unit complained of (R35)
    "human_requested": Handling(2, "centre", 1),  # R36
    "dissatisfied": Handling(3, "centre", None),
}


OVER = ("settled", "closed")
"""States of a case with which nobody is busy any more, because of what was done until then."""


def escalate(
    session: Session, office: Office, attempt: CallAttempt, reason: str, now: datetime, *, anew: bool = False
) -> Escalation:  # fmt: skip
    """Open the respondent's case, or add the reason to the open one; the earliest deadline holds. Raises KeyError for an unknown reason.

    `anew`: the person gives the reason at this moment. A case that was over before is open again then, also where it knows the reason.
    """
    handling = HANDLING[reason]
    due_at = _due_at(session, office, attempt, handling, now)
    case = _case_of(session, attempt.respondent_id)
    if case is None:
        case = Escalation(
            respondent_id=attempt.respondent_id, attempt_id=attempt.id, reasons=[], priority=handling.priority, route=handling.route,
            state="open", opened_at=now, due_at=due_at,
        )  # fmt: skip
        session.add(case)
    is_over = case.state in OVER
    if reason not in case.reasons or (anew and is_over):
        if is_over:
            case.due_at, case.claimed_by, case.claimed_at = None, None, None
        case.reasons = list(dict.fromkeys((*case.reasons, reason)))
        case.state, case.priority = "open", min(case.priority, handling.priority)
        case.due_at = min(case.due_at or due_at, due_at)
        session.flush()
        _send(session, case)
        office.record(session, now, "system", "case.escalate", f"attempt:{attempt.id}", reason=reason)
    return case


def _send(session: Session, case: Escalation) -> None:
    """Whose case it is: inspection's for its own reasons, and in a second call about an order of inspection (R35).

    Who may be in danger is kept from nobody for the order's sake: somebody must act at once (R34).
    """
    if any(HANDLING[reason].route == INSPECTION for reason in case.reasons):
        case.route = INSPECTION
    elif is_about_inspection(session, case.respondent_id):
        case.route = "centre" if "danger" in case.reasons else INSPECTION
    session.flush()
    if case.route == INSPECTION:
        for order_id in session.scalars(select(Order.id).where(Order.escalation_id == case.id)):
            send_second_calls(session, order_id)


def send_second_calls(session: Session, order_id: int) -> None:
    """What was made in second calls about an order goes to inspection with it, but for who may be in danger (R34, R35)."""
    for case in cases_about(session, order_id):
        if "danger" not in case.reasons:
            case.route = INSPECTION
    session.flush()


def withdraw(session: Session, office: Office, attempt: CallAttempt, reason: str, now: datetime) -> None:
    """The person took the reason back; a case without any reason left is closed as withdrawn."""
    case = _case_of(session, attempt.respondent_id)
    if case is None or reason not in case.reasons:
        return
    case.reasons = [kept for kept in case.reasons if kept != reason]
    if not case.reasons:
        case.state = "withdrawn"
    session.flush()
    office.record(session, now, "system", "case.withdraw", f"attempt:{attempt.id}", reason=reason)


def _due_at(session: Session, office: Office, attempt: CallAttempt, handling: Handling, now: datetime) -> datetime:
    """By the working days of the calendar; Monday to Friday in a year without one, because an answer is worth more than its date."""
    days = office.bureau.callback_days if handling.days is None else handling.days
    try:
        return deadline(calendar(rules_of(attempt.campaign).calendar), now, days, office.bureau.zone)
    except CalendarMissing as missing:
        raise_alarm(session, AlarmKind.CALENDAR_MISSING, str(missing.year), now, year=missing.year)
        return deadline(calendar("weekdays"), now, days, office.bureau.zone)


def _case_of(session: Session, respondent_id: int) -> Escalation | None:
    return session.scalar(select(Escalation).where(Escalation.respondent_id == respondent_id))


def note_consent(session: Session, respondent_id: int, consent: str) -> None:
    """Write down whether the responsible unit may contact the person: `yes` or `no` (R33); of a second call, for its order too."""
    case = _case_of(session, respondent_id)
    of_order = select(Escalation).join(Order, Order.escalation_id == Escalation.id).join(Recall, Recall.order_id == Order.id)
    for known in filter(None, (case, *session.scalars(of_order.where(Recall.respondent_id == respondent_id)))):
        known.consent = consent
