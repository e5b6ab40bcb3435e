"""Accounts and units as an administrator looks at them. Telephones and e-mail addresses stay sealed here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from survey.errors import NotFound
from survey.store.models import Incident, Unit, User, UserSession


@dataclass(frozen=True)
class UserRow:
    """An account; `unit` is its unit's code, `seen_at` when it was last at work in the console."""

    name: str
    display_name: str
    role: str
    unit: str
    unit_name: str
    is_head: bool
    telephone_sealed: bytes | None
    email_sealed: bytes | None
    second_factor: bool
    must_change: bool
    password_set_at: datetime | None
    created_at: datetime
    disabled_at: datetime | None
    seen_at: datetime | None


@dataclass(frozen=True)
class UnitRow:
    """A unit, with the address of its office, how many accounts may act for it and how many incidents it handled."""

    code: str
    name: str
    email: str
    users: int
    incidents: int


def users(session: Session) -> Sequence[UserRow]:
    """Every account: those in use first, by name."""
    return _rows(session)


def user(session: Session, name: str) -> UserRow:
    """One account. Raises NotFound."""
    found = _rows(session, name)
    if not found:
        raise NotFound
    return found[0]


def units(session: Session) -> list[UnitRow]:
    """Every unit, by code."""
    acting = dict(session.execute(select(User.unit_id, func.count()).where(User.disabled_at.is_(None)).group_by(User.unit_id)).all())
    handled = dict(session.execute(select(Incident.unit_id, func.count()).group_by(Incident.unit_id)).all())
    found = session.scalars(select(Unit).order_by(Unit.code))
    return [UnitRow(one.code, one.name, one.email, acting.get(one.id, 0), handled.get(one.id, 0)) for one in found]


def unit_choices(session: Session) -> list[tuple[str, str]]:
    """(code, name) of every unit, by code."""
    return [(code, name) for code, name in session.execute(select(Unit.code, Unit.name).order_by(Unit.code))]


def display_names(session: Session, names: Iterable[str]) -> dict[str, str]:
    """What the accounts of these names are called on pages; accounts that are not there are left out."""
    return dict(session.execute(select(User.name, User.display_name).where(User.name.in_(set(names)))).all())


def administrators(session: Session) -> tuple[int, int]:
    """How many administrators may log in, and how many of them with a second factor."""
    standing = select(func.count(User.id), func.count(User.totp_since)).where(User.role == "administrator", User.disabled_at.is_(None))
    count, protected = session.execute(standing).one()
    return count, protected


def is_held(session: Session, role: str) -> bool:
    """Whether anybody of this role may log in."""
    return bool(session.scalar(select(exists().where(User.role == role, User.disabled_at.is_(None)))))


def _rows(session: Session, name: str | None = None) -> list[UserRow]:
    seen = select(UserSession.user_id, func.max(UserSession.seen_at).label("at")).group_by(UserSession.user_id).subquery()
    wanted = (
        select(User, Unit.code, Unit.name, seen.c.at)
        .outerjoin(Unit, User.unit_id == Unit.id)
        .outerjoin(seen, seen.c.user_id == User.id)
        .order_by(User.disabled_at.is_not(None), User.name)
    )
    if name is not None:
        wanted = wanted.where(User.name == name)
    return [
        UserRow(
            one.name, one.display_name, one.role, code or "", unit or "", one.is_head, one.telephone_sealed,
            one.email_sealed, one.totp_since is not None, one.must_change, one.password_set_at, one.created_at, one.disabled_at, at,
        )
        for one, code, unit, at in session.execute(wanted)
    ]  # fmt: skip
