"""What import and draw ask: the month's incidents, why some are not called, whose numbers must rest."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from survey.script import SURVEY
from survey.store.models import CallAttempt, Campaign, Draw, DrawnIncident, Incident, IncidentImport, Suppression, Unit
from survey.store.queries.dialling import interviewed_by_calling_us

AT_A_TIME = 5000


class Span(NamedTuple):
    """The incidents closed from `start` to before `end` that had been imported before `as_of`."""

    start: datetime
    end: datetime
    as_of: datetime


class Eligible(NamedTuple):
    """An incident without a standing exclusion."""

    number: str
    unit_id: int | None
    phone_key: bytes | None
    id: int


def standing_counts(session: Session, span: Span) -> dict[str | None, int]:
    """Incidents of the span by standing exclusion; None counts those without one."""
    counts = select(Incident.exclusion, func.count()).where(_in_span(session, span)).group_by(Incident.exclusion)
    return dict(session.execute(counts).all())


def eligible_by_unit(session: Session, span: Span) -> dict[int | None, int]:
    """Incidents of the span without a standing exclusion, by unit id."""
    counts = select(Incident.unit_id, func.count()).where(_in_span(session, span), Incident.exclusion.is_(None)).group_by(Incident.unit_id)
    return dict(session.execute(counts).all())


def eligible(session: Session, span: Span) -> Iterator[Eligible]:
    """Incidents of the span without a standing exclusion, by number in code point order on either database; streams."""
    in_code_points = Incident.number.collate("C") if session.get_bind().dialect.name == "postgresql" else Incident.number
    columns = select(Incident.number, Incident.unit_id, Incident.phone_key, Incident.id)
    rows = columns.where(_in_span(session, span), Incident.exclusion.is_(None)).order_by(in_code_points)
    for part in session.execute(rows.execution_options(yield_per=AT_A_TIME)).partitions():
        yield from (Eligible._make(row) for row in part)


def _in_span(session: Session, span: Span) -> ColumnElement[bool]:
    later = session.scalars(select(IncidentImport.id).where(IncidentImport.started_at > span.as_of)).all()
    closed = and_(Incident.closed_at >= span.start, Incident.closed_at < span.end)
    return and_(closed, or_(Incident.import_id.is_(None), Incident.import_id.not_in(later))) if later else closed


def units(session: Session) -> Sequence[Unit]:
    """All units, by code."""
    return session.scalars(select(Unit).order_by(Unit.code)).all()


def suppressed_keys(session: Session, as_of: datetime) -> frozenset[bytes]:
    """Numbers whose owners had forbidden further calls at `as_of`."""
    in_force = or_(Suppression.lifted_at.is_(None), Suppression.lifted_at > as_of)
    return frozenset(session.scalars(select(Suppression.phone_key).where(Suppression.at <= as_of, in_force)))


def dialled_keys(session: Session, since: datetime, as_of: datetime) -> frozenset[bytes]:
    """Numbers that were dialled from `since` to `as_of`, or whose owners were interviewed on a call to us, for whatever survey (R6).

    Second calls do not count: they would keep the dissatisfied out of the next samples for longer than others, and flatter the units.
    A request that the carrier turned away rang nobody, as far as was known at `as_of`.
    """
    turned_away = and_(CallAttempt.disposition.is_(None), func.coalesce(CallAttempt.settled_at <= as_of, false()))
    dialled = and_(CallAttempt.requested_at >= since, CallAttempt.requested_at <= as_of, ~turned_away)
    theirs = and_(interviewed_by_calling_us(), CallAttempt.settled_at >= since, CallAttempt.settled_at <= as_of)
    of_surveys = select(CallAttempt.phone_key).join(Campaign).where(Campaign.kind == SURVEY)
    return frozenset(session.scalars(of_surveys.where(or_(dialled, theirs))))


def valid_draw(session: Session, month: str) -> Draw | None:
    """The month's draw that was not voided, the newest if there are several."""
    draws = select(Draw).where(Draw.month == month, Draw.voided_at.is_(None)).order_by(Draw.id.desc()).limit(1)
    return session.scalars(draws).first()


def drawn_places(session: Session, draw_id: int) -> Iterator[tuple[int, int, int, float]]:
    """Position, replicate, incident id and weight of each place of a draw, in the order of the draw."""
    columns = select(DrawnIncident.position, DrawnIncident.replicate, DrawnIncident.incident_id, DrawnIncident.weight)
    ordered = columns.where(DrawnIncident.draw_id == draw_id).order_by(DrawnIncident.position)
    for row in session.execute(ordered.execution_options(yield_per=AT_A_TIME)):
        yield row[0], row[1], row[2], row[3]


def unfinished_campaigns(session: Session, draw_id: int) -> Sequence[str]:
    """Names of campaigns that work on a draw and have not ended."""
    at_work = and_(Campaign.kind == SURVEY, Campaign.state.in_(("ready", "running", "paused")))
    return session.scalars(select(Campaign.name).where(Campaign.draw_id == draw_id, at_work)).all()
