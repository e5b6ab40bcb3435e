"""The on-site register: exactly one entry per handled incident, which names the officer in a sealed column alone (R1, R65)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.errors import BadInput, NotAllowed
from survey.fieldwork.office import Office
from survey.order_moves import said
from survey.store.models import Incident, RegisterEntry
from survey.store.sealing import place

REGISTER_STATES = {
    "signed": ("已签字", "signed"), "refused": ("拒签", "refused to sign"), "unable": ("无法签字", "unable to sign"),
    "missing": ("无登记", "missing"),
}  # fmt: skip


@dataclass(frozen=True)
class Signing:
    """How an incident's register was signed `at` the scene, by the officer named in `by`; `unable` needs a reason."""

    state: str
    by: str
    at: datetime
    reason: str = ""


def enter(session: Session, office: Office, incident: Incident, signing: Signing, actor: str, now: datetime) -> RegisterEntry:
    """The account `actor` enters how the incident's register was signed; the trail names that account, never the officer.

    Raises BadInput for another state or no reason, NotAllowed when the incident has its entry.
    """
    state = signing.state
    if state not in REGISTER_STATES:
        words = ", ".join(REGISTER_STATES)
        raise BadInput(f"登记状态须为 {words} 之一 / the state must be one of {words}", "state")
    why = said(signing.reason) if state == "unable" else signing.reason.strip()
    session.scalars(select(Incident.id).where(Incident.id == incident.id).with_for_update()).one()
    if session.scalar(select(RegisterEntry.id).where(RegisterEntry.incident_id == incident.id)) is not None:
        raise NotAllowed(f"警情 {incident.number} 已有登记 / incident {incident.number} has its entry")
    by = office.keys.seal(signing.by, place("register_entries", "by_sealed", str(incident.id)))
    entry = RegisterEntry(incident_id=incident.id, state=state, reason=why, by_sealed=by, at=signing.at)
    session.add(entry)
    session.flush()
    office.record(session, now, actor, "register.enter", f"incident:{incident.public_id}", state=state)
    return entry
