"""Named rights that one process holds for a while: two clock processes on two machines do no harm."""

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey.store.models import Lease


def hold(session: Session, name: str, owner: str, now: datetime, length: timedelta) -> bool:
    """Take or renew the lease for `length`; False while somebody else holds it. The caller commits.

    `now` must be the machines' real time (not a virtual one), alike to within a fraction of `length`.
    """
    mine_or_over = or_(Lease.owner == owner, Lease.expires_at <= now)
    taken = session.execute(update(Lease).where(Lease.name == name, mine_or_over).values(owner=owner, expires_at=now + length))
    if taken.rowcount:  # type: ignore[attr-defined]
        return True
    if session.scalar(select(Lease.owner).where(Lease.name == name)) is not None:
        return False
    return _create(session, Lease(name=name, owner=owner, expires_at=now + length))


def holds(session: Session, name: str, owner: str) -> bool:
    """Whether the lease is still `owner`'s; nobody else takes it before the caller's transaction is over. It is not renewed by this."""
    mine = select(Lease.owner).where(Lease.name == name, Lease.owner == owner)
    return session.scalar(mine.with_for_update()) is not None


def _create(session: Session, lease: Lease) -> bool:
    try:
        with session.begin_nested():
            session.add(lease)
    except IntegrityError:
        return False  # somebody else was first
    return True


def release(session: Session, name: str, owner: str, now: datetime) -> None:
    """Give the lease up, if `owner` holds it, so that another need not wait for its end."""
    session.execute(update(Lease).where(Lease.name == name, Lease.owner == owner).values(expires_at=now))
