"""What runs, what is held, and what somebody must see to."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from survey.store.models.base import Base, Id


class Lease(Base):
    """A named right that one process holds until `expires_at`, e.g. the sweep."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(96))
    expires_at: Mapped[datetime]


class Hold(Base):
    """Why nobody is dialled now although campaigns run: a cap, the guard against silent calls, a carrier out of reach.

    `scope` is `carrier` (everything) or `campaign:<public id>`; a hold stands until `lifted_at`. One that ends by itself
    names the time in `until`.
    """

    __tablename__ = "holds"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    scope: Mapped[str] = mapped_column(String(48))
    reason: Mapped[str] = mapped_column(String(32))  # word of survey.holds.HoldReason
    detail: Mapped[str] = mapped_column(String(255), default="")
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (
        Index(
            "uq_holds_standing", "scope", "reason", unique=True, sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )  # fmt: skip


class Alarm(Base):
    """Something that a person must see to. One row stands for a kind and a subject, however often it is raised."""

    __tablename__ = "alarms"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))  # word of survey.alarms.AlarmKind
    subject: Mapped[str] = mapped_column(String(96))  # e.g. attempt:17, campaign:<public id>, sweep
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)  # no personal data
    raised_at: Mapped[datetime]
    seen_at: Mapped[datetime]  # raised last
    count: Mapped[int] = mapped_column(default=1)
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(64))
    cleared_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "uq_alarms_standing", "kind", "subject", unique=True, sqlite_where=text("cleared_at IS NULL"),
            postgresql_where=text("cleared_at IS NULL"),
        ),
    )  # fmt: skip
