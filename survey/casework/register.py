"""The on-site register: exactly one entry per handled incident (R1)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.errors import BadInput, NotAllowed
from survey.fieldwork.office import Office
from survey.order_moves import said
from survey.store.models import Incident, RegisterEntry

REGISTER_STATES = {
    "signed": ("已签字", "signed"), "refused": ("拒签", "refused to sign"), "unable": ("无法签字", "unable to sign"),
    "missing": ("无登记", "missing"),
}  # fmt: skip


def enter(
    session: Session, office: Office, incident: Incident, state: str, by: str, at: datetime, now: datetime, reason: str = ""
) -> RegisterEntry:
    """Enter how the incident's register was signed `at` the scene `by` whom; `unable` needs a reason.

    Raises BadInput for another state or no reason, NotAllowed when the incident has its entry.
    """
    if state not in REGISTER_STATES:
        words = ", ".join(REGISTER_STATES)
        raise BadInput(f"登记状态须为 {words} 之一 / the state must be one of {words}", "state")
    why = said(reason) if state == "unable" else reason.strip()
    session.scalars(select(Incident.id).where(Incident.id == incident.id).with_for_update()).one()
    if session.scalar(select(RegisterEntry.id).where(RegisterEntry.incident_id == incident.id)) is not None:
        raise NotAllowed(f"警情 {incident.number} 已有登记 / incident {incident.number} has its entry")
    entry = RegisterEntry(incident_id=incident.id, state=state, reason=why, by=by, at=at)
    session.add(entry)
    session.flush()
    office.record(session, now, by, "register.enter", f"incident:{incident.public_id}", state=state)
    return entry
