"""The incidents of a month as register and ledger show them, and how far the register covers them (R1, R2, R12). Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from survey.disclosure import UNREADABLE
from survey.errors import CannotUnseal, NotFound
from survey.store.models import Incident, RegisterEntry, Unit
from survey.store.queries.console_cases import PAGE, Paged, within
from survey.store.sealing import KeyRing, place

AT_ONCE = 500
UNHANDLED = ("cancelled", "duplicate", "invalid")
"""Incidents that nobody handled: words of survey.eligibility.Exclusion."""


@dataclass(frozen=True)
class Reader:
    """Who looks: the whole house, or `is_unit` one unit alone (`unit_id` None: an account that belongs to none sees nothing)."""

    is_unit: bool = False
    unit_id: int | None = None


@dataclass(frozen=True)
class Asked:
    """Which incidents are asked for; None and empty: all. The month's moments bound the closing of the incident."""

    since: datetime | None = None
    before: datetime | None = None
    unit_id: int | None = None
    number: str = ""


@dataclass(frozen=True)
class IncidentRow:
    """An incident without anything personal."""

    id: int
    public_id: str
    number: str
    unit: str | None
    category: str
    occurred_at: datetime
    closed_at: datetime


@dataclass(frozen=True)
class Coverage:
    """One unit's register in a month (R1): so many incidents handled, of these so many entries of each kind."""

    unit: str
    handled: int
    signed: int = 0
    refused: int = 0
    unable: int = 0
    missing: int = 0

    @property
    def coverage(self) -> float | None:
        """(signed + refused + unable) / handled; None where nothing was handled."""
        return (self.signed + self.refused + self.unable) / self.handled if self.handled else None

    @property
    def signature(self) -> float | None:
        """signed / handled; None where nothing was handled."""
        return self.signed / self.handled if self.handled else None


def incidents(session: Session, asked: Asked, reader: Reader, page: int) -> Paged:
    """One page of incidents, the last closed first."""
    condition = _conditions(asked, reader)
    total = session.scalar(select(func.count(Incident.id)).where(*condition)) or 0
    number = within(page, total)
    statement = _statement().where(*condition).order_by(Incident.closed_at.desc(), Incident.id.desc())
    rows = session.execute(statement.offset((number - 1) * PAGE).limit(PAGE)).all()
    return Paged([IncidentRow(*row) for row in rows], number, total)


def incident(session: Session, public_id: str, reader: Reader) -> IncidentRow:
    """One incident. Raises NotFound, also for one of another unit."""
    row = session.execute(_statement().where(Incident.public_id == public_id, *_conditions(Asked(), reader))).one_or_none()
    if row is None:
        raise NotFound
    return IncidentRow(*row)


def by_number(session: Session, number: str, reader: Reader) -> Incident | None:
    """The incident of a number as a row to work on; None also for one of another unit."""
    return session.scalars(select(Incident).where(*_conditions(Asked(), reader), Incident.number == number)).one_or_none()


def batches(session: Session, asked: Asked, reader: Reader) -> Iterator[list[IncidentRow]]:
    """All incidents asked for, in the order of their closing, some hundred at a time."""
    ids = session.scalars(select(Incident.id).where(*_conditions(asked, reader)).order_by(Incident.closed_at, Incident.id)).all()
    for start in range(0, len(ids), AT_ONCE):
        rows = session.execute(_statement().where(Incident.id.in_(ids[start : start + AT_ONCE])).order_by(Incident.closed_at, Incident.id))
        yield [IncidentRow(*row) for row in rows]


def coverage(session: Session, asked: Asked, reader: Reader) -> list[Coverage]:
    """The register's coverage of each unit, by the unit's name (R1)."""
    handled = (Incident.unit_id.is_not(None), or_(Incident.exclusion.is_(None), Incident.exclusion.not_in(UNHANDLED)))
    statement = (
        select(Unit.name, RegisterEntry.state, func.count(Incident.id))
        .join(Unit, Incident.unit_id == Unit.id)
        .outerjoin(RegisterEntry, RegisterEntry.incident_id == Incident.id)
        .where(*handled, *_conditions(asked, reader))
        .group_by(Unit.name, RegisterEntry.state)
    )
    counts: dict[str, dict[str, int]] = {}
    for name, state, count in session.execute(statement):
        counts.setdefault(name, {})[state or "missing"] = counts.get(name, {}).get(state or "missing", 0) + count
    return [Coverage(name, sum(states.values()), **states) for name, states in sorted(counts.items())]


def total(rows: Sequence[Coverage], name: str) -> Coverage:
    """All units together."""
    sums = {word: sum(getattr(row, word) for row in rows) for word in ("handled", "signed", "refused", "unable", "missing")}
    return Coverage(name, **sums)


def units(session: Session, reader: Reader) -> list[tuple[int, str]]:
    """The units that a reader may choose from."""
    mine = [Unit.id == reader.unit_id] if reader.is_unit else []
    return [(unit, name) for unit, name in session.execute(select(Unit.id, Unit.name).where(*mine).order_by(Unit.name))]


def _statement() -> Select[*tuple[Any, ...]]:
    columns = (Incident.id, Incident.public_id, Incident.number, Unit.name, Incident.category, Incident.occurred_at, Incident.closed_at)
    return select(*columns).outerjoin(Unit, Incident.unit_id == Unit.id)


def _conditions(asked: Asked, reader: Reader) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if reader.is_unit:
        found.append(Incident.unit_id == (reader.unit_id if reader.unit_id is not None else -1))
    if asked.since is not None:
        found.append(Incident.closed_at >= asked.since)
    if asked.before is not None:
        found.append(Incident.closed_at < asked.before)
    if asked.unit_id is not None:
        found.append(Incident.unit_id == asked.unit_id)
    if asked.number:
        found.append(Incident.number.contains(asked.number, autoescape=True))
    return found


def signed_by(keys: KeyRing, entry: RegisterEntry) -> str:
    """The officer whom an entry names; `?` when it cannot be read (RS57)."""
    try:
        return keys.open(entry.by_sealed, place("register_entries", "by_sealed", str(entry.incident_id))) or entry.by
    except CannotUnseal:
        return UNREADABLE
