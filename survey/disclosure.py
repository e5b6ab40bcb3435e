"""Use cases that show personal data to a person: each needs a reason and leaves its entry in the audit trail (R63, RS54).

The entry is written in the same transaction; callers show the data after the commit, so that nothing is shown when the trail
cannot be written.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.errors import BadInput, CannotUnseal, NotAllowed, NotFound
from survey.phone import mask
from survey.store import audit
from survey.store.models import AuditEntry, AuditHead, Recording, Respondent
from survey.store.sealing import KeyRing, place

SHORTEST_REASON, LONGEST_REASON = 4, 200
PERMIT_LASTS = timedelta(minutes=2)
PERSONAL = ("phone", "reporter", "officer", "place")
UNREADABLE = "?"


@dataclass(frozen=True, repr=False)
class Person:
    """Who reported the incident, in clear; None where nothing is stored, `?` where it cannot be read."""

    phone: str | None
    reporter: str | None
    officer: str | None
    place: str | None


@dataclass(frozen=True)
class SealedSound:
    """Where a recording lies: `path` below the data folder, sealed for `place`."""

    path: Path
    place: str


def unmask(session: Session, keys: KeyRing, audit_key: bytes, respondent_id: str, by: str, reason: str, now: datetime) -> Person:
    """The personal data of a respondent's incident, against a reason. Raises BadInput without one, NotFound."""
    why = _reason(reason)
    respondent = session.scalars(select(Respondent).where(Respondent.public_id == respondent_id)).one_or_none()
    if respondent is None:
        raise NotFound
    incident = respondent.incident
    audit.append(session, audit_key, now, by, "person.unmask", f"respondent:{respondent.public_id}", reason=why)
    sealed = ((name, getattr(incident, f"{name}_sealed")) for name in PERSONAL)
    return Person(**{name: open_field(keys, value, name, incident.public_id) for name, value in sealed})


def open_field(keys: KeyRing, sealed: bytes | None, name: str, public_id: str) -> str | None:
    """One sealed column of an incident; `?` when it cannot be read, so that the rest of the page still shows (RS57)."""
    try:
        return keys.open(sealed, place("incidents", f"{name}_sealed", public_id))
    except CannotUnseal:
        return UNREADABLE


def last_digits(keys: KeyRing, sealed: bytes | None, public_id: str) -> str:
    """The number of an incident as it is shown without a reason; empty when there is none, `?` when it cannot be read."""
    number = open_field(keys, sealed, "phone", public_id)
    return UNREADABLE if number == UNREADABLE else mask(number)


def permit_listening(session: Session, audit_key: bytes, recording_id: str, by: str, reason: str, now: datetime) -> int:
    """Allow one person to hear one recording once, within two minutes; returns the permit's number in the audit trail.

    Raises BadInput without a reason, NotFound, NotAllowed when there is no sound yet.
    """
    why = _reason(reason)
    recording = _recording(session, recording_id)
    if recording.state != "kept" or not recording.path:
        raise NotAllowed(f"the recording is {recording.state}")
    audit.append(session, audit_key, now, by, "recording.permit", f"recording:{recording_id}", reason=why)
    session.flush()
    return session.get_one(AuditHead, 1).n


def redeem_permit(session: Session, audit_key: bytes, recording_id: str, permit: int, by: str, now: datetime) -> SealedSound:
    """Use up a permit and say where the sound lies. Raises NotAllowed when it is another's, too old, or used up; NotFound."""
    recording = _recording(session, recording_id)
    subject = f"recording:{recording_id}"
    session.get(AuditHead, 1, with_for_update=True)  # two requests with one permit must come one after the other
    entry = session.get(AuditEntry, permit)
    if entry is None or (entry.action, entry.subject, entry.actor) != ("recording.permit", subject, by):
        raise NotAllowed("no such permit")
    if now - entry.at > PERMIT_LASTS or _is_used(session, permit, subject):
        raise NotAllowed("the permit is used up")
    if not recording.path:
        raise NotFound
    audit.append(session, audit_key, now, by, "recording.play", subject, permit=permit)
    return SealedSound(Path(recording.path), place(Recording.__tablename__, "path", recording.public_id))


def _is_used(session: Session, permit: int, subject: str) -> bool:
    later = select(AuditEntry.details).where(AuditEntry.n > permit, AuditEntry.action == "recording.play", AuditEntry.subject == subject)
    return audit.canonical({"permit": permit}) in set(session.scalars(later))


def _recording(session: Session, public_id: str) -> Recording:
    found = session.scalars(select(Recording).where(Recording.public_id == public_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def _reason(text: str) -> str:
    """The reason without line breaks or control characters. Raises BadInput when it says nothing or too much."""
    reason = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise BadInput(f"the reason needs {SHORTEST_REASON} to {LONGEST_REASON} characters")
    return reason
