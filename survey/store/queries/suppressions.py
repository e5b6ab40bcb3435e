"""The refusal list as people look at it: its entries, newest first. Numbers stay sealed here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from survey.store.models import CallAttempt, Escalation, Incident, Respondent, Suppression
from survey.store.queries.console_cases import INSPECTION, PAGE, Paged, visible_respondents, within

STANDING, LIFTED = "standing", "lifted"


@dataclass(frozen=True)
class SealedPhone:
    """The number as it stands in one incident, with the identity that it is bound to."""

    incident: str
    sealed: bytes | None


@dataclass(frozen=True)
class SuppressionRow:
    """An entry: how the refusal came, in the call with whom, and how it was lifted. What the visitor may not know of is None."""

    id: int
    reason: str
    at: datetime
    call: str | None
    phone: SealedPhone | None
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None


def suppressions(session: Session, kind: str, page: int, inspection: bool) -> Paged:
    """One page of the entries that stand, or of those that were lifted. `inspection`: see `visible_respondents`."""
    total = count(session, kind)
    number = within(page, total)
    return Paged(_rows(session, inspection, _is(kind), offset=(number - 1) * PAGE), number, total)


def of_number(session: Session, phone_key: bytes, inspection: bool) -> Sequence[SuppressionRow]:
    """The whole history of one number."""
    return _rows(session, inspection, Suppression.phone_key == phone_key)


def one(session: Session, number: int, inspection: bool) -> Sequence[SuppressionRow]:
    """The entry of that number; none when there is no such entry."""
    return _rows(session, inspection, Suppression.id == number)


def count(session: Session, kind: str) -> int:
    """How many entries stand, or were lifted."""
    return session.scalar(select(func.count(Suppression.id)).where(_is(kind))) or 0


def _is(kind: str) -> ColumnElement[bool]:
    return Suppression.lifted_at.is_(None) if kind == STANDING else Suppression.lifted_at.is_not(None)


def _rows(session: Session, inspection: bool, wanted: ColumnElement[bool], offset: int = 0) -> Sequence[SuppressionRow]:
    newest = (func.coalesce(Suppression.lifted_at, Suppression.at).desc(), Suppression.id.desc())
    found = session.scalars(select(Suppression).where(wanted).order_by(*newest).offset(offset).limit(PAGE)).all()
    calls = _calls(session, {row.attempt_id for row in found if row.attempt_id is not None}, inspection)
    phones = _phones(session, {row.phone_key for row in found}, inspection)
    return [
        SuppressionRow(
            row.id, row.reason, row.at, calls.get(row.attempt_id or 0), phones.get(row.phone_key), row.lifted_at, row.lifted_by,
            row.lift_reason,
        )
        for row in found
    ]  # fmt: skip


def _calls(session: Session, attempts: Collection[int], inspection: bool) -> dict[int, str]:
    """Whom each of the attempts called."""
    called = select(CallAttempt.id, Respondent.public_id).join(Respondent, CallAttempt.respondent_id == Respondent.id)
    return dict(session.execute(called.where(CallAttempt.id.in_(attempts), *visible_respondents(inspection))).all())


def _phones(session: Session, phone_keys: Collection[bytes], inspection: bool) -> dict[bytes, SealedPhone]:
    """The newest incident of each number, but none whose case went to inspection and is not for the visitor (R35)."""
    known = select(Incident.phone_key, Incident.public_id, Incident.phone_sealed).where(Incident.phone_key.in_(phone_keys))
    if not inspection:
        hidden = select(Escalation.id).join(Respondent, Escalation.respondent_id == Respondent.id)
        known = known.where(~hidden.where(Respondent.incident_id == Incident.id, Escalation.route == INSPECTION).exists())
    rows = session.execute(known.order_by(Incident.id))
    return {key: SealedPhone(incident, sealed) for key, incident, sealed in rows if key is not None}
