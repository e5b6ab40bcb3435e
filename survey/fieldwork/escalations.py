"""The way into the human queue: one case per respondent, however many reasons it gathers (R33–R36)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.fieldwork.campaigns import rules_of
from survey.fieldwork.office import Office
from survey.store.models import CallAttempt, Escalation
from survey.working_days import calendar, deadline


@dataclass(frozen=True)
class Handling:
    """How a reason is handled: `priority` 1 at once, 2 today, 3 by the call-back time; `route` who sees it."""

    priority: int
    route: str


HANDLING = {
    "danger": Handling(1, "centre"),
    "abuse_alleged": Handling(1, "inspection"),  # never to the unit complained of (R35)
    "human_requested": Handling(2, "centre"),
    "dissatisfied": Handling(3, "centre"),
}


def escalate(session: Session, office: Office, attempt: CallAttempt, reason: str, now: datetime) -> Escalation:
    """Open the respondent's case, or add the reason to the open one. Raises KeyError for an unknown reason."""
    handling = HANDLING[reason]
    case = session.scalar(select(Escalation).where(Escalation.respondent_id == attempt.respondent_id))
    if case is None:
        working_days = calendar(rules_of(attempt.campaign).calendar)
        case = Escalation(
            respondent_id=attempt.respondent_id,
            attempt_id=attempt.id,
            reasons=[],
            priority=handling.priority,
            route=handling.route,
            opened_at=now,
            due_at=deadline(working_days, now, office.bureau.callback_days, office.bureau.zone),
        )
        session.add(case)
    if reason not in case.reasons:
        case.reasons = [*case.reasons, reason]
        case.priority = min(case.priority, handling.priority)
        case.route = "inspection" if "inspection" in (case.route, handling.route) else "centre"
        office.record(session, now, "system", "case.escalate", f"attempt:{attempt.id}", reason=reason)
    session.flush()
    return case


def note_consent(session: Session, respondent_id: int, consent: str) -> None:
    """Write down whether the responsible unit may contact the person: `yes` or `no` (R33)."""
    case = session.scalar(select(Escalation).where(Escalation.respondent_id == respondent_id))
    if case is not None:
        case.consent = consent
