"""Orders to the units, what came of them, and the register that the first level of the callback is kept in."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.store.models.base import Base, Id, public_id
from survey.store.models.campaigns import Respondent
from survey.store.models.cases import Escalation
from survey.store.models.incidents import Incident, Unit


class Order(Base):
    """An order 《接处警电话回访交办单》: exactly one per dissatisfied case (R47). States and outcomes: words of `survey.order_moves`.

    `version` counts the changes; whoever saves over another's change is told so (O33). A closed order bears an `archive_number`.
    """

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    year: Mapped[int]
    serial: Mapped[int]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"), unique=True)
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id"), unique=True)
    items: Mapped[list[Any]]  # that were rated 4 or 5
    reasons: Mapped[list[Any]]  # of the case, when the order was issued
    priority: Mapped[int]  # of the case: 1 at once, 2 today, 3 in time
    consent: Mapped[str] = mapped_column(String(8))  # yes, no, unasked: of the case, when the order was issued
    route: Mapped[str] = mapped_column(String(16))  # centre or inspection (R35)
    state: Mapped[str] = mapped_column(String(16))
    issued_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]  # the clock stands since then
    closed_at: Mapped[datetime | None]
    returns: Mapped[int] = mapped_column(default=0)
    replies: Mapped[int] = mapped_column(default=0)
    supervised: Mapped[bool] = mapped_column(default=False)
    extension: Mapped[str] = mapped_column(String(8), default="")  # asked, granted, refused, lapsed
    appeal: Mapped[str] = mapped_column(String(8), default="")  # asked, upheld, rejected, lapsed
    outcome: Mapped[str] = mapped_column(String(24), default="")
    archive_number: Mapped[str | None] = mapped_column(String(32), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    respondent: Mapped[Respondent] = relationship()
    escalation: Mapped[Escalation] = relationship()
    unit: Mapped[Unit | None] = relationship()
    __table_args__ = (UniqueConstraint("year", "serial"), Index(None, "state", "due_at"), Index(None, "unit_id", "state"))


class OrderEvent(Base):
    """One step of an order, never changed: `number` is the version that it made, `details` hold no personal data."""

    __tablename__ = "order_events"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    number: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    what: Mapped[str] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(Text, default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    __table_args__ = (UniqueConstraint("order_id", "number"),)


class OrderReply(Base):
    """A unit's reply of one round, as it was accepted (R50)."""

    __tablename__ = "order_replies"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    round: Mapped[int]
    finding: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str] = mapped_column(String(16))
    visited_on: Mapped[date | None] = mapped_column(Date)
    people_sealed: Mapped[bytes | None]
    place_sealed: Mapped[bytes | None]
    measure_sealed: Mapped[bytes | None]
    explanation_sealed: Mapped[bytes | None]
    improvement_sealed: Mapped[bytes | None]
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("order_id", "round"),)


class OrderExtension(Base):
    """The one extension that may be asked for, and what the centre decided (R52)."""

    __tablename__ = "order_extensions"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    days: Mapped[int]  # working days
    reason: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime]
    due_before: Mapped[datetime]
    decision: Mapped[str] = mapped_column(String(8), default="")  # granted, refused, lapsed
    decision_reason: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]


class OrderAppeal(Base):
    """The unit's appeal and the decision on it; the answers stay stored whatever it is (R53)."""

    __tablename__ = "order_appeals"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    ground: Mapped[str] = mapped_column(String(16))  # untrue, not_own
    items: Mapped[list[Any]]  # whose ratings are said to be untrue
    argument_sealed: Mapped[bytes | None]
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    decision: Mapped[str] = mapped_column(String(8), default="")  # upheld, rejected, lapsed
    decision_reason: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]


class AccountabilityRecord(Base):
    """Somebody is held to account for a verified fault (R55); without a decision it waits for one."""

    __tablename__ = "accountability_records"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    fault: Mapped[str] = mapped_column(String(16))  # speed, attitude, irregular
    opened_by: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    decision_sealed: Mapped[bytes | None]
    decided_on: Mapped[date | None] = mapped_column(Date)
    decided_by: Mapped[str | None] = mapped_column(String(64))


class OrderAttachment(Base):
    """A photo or PDF; it lies sealed in `path` below the data folder, its name is sealed because people name files after people."""

    __tablename__ = "order_attachments"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    name_sealed: Mapped[bytes | None]
    path: Mapped[str] = mapped_column(String(255))
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the file in the clear
    kind: Mapped[str] = mapped_column(String(32))  # its media type, by its content
    size_bytes: Mapped[int]
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class OrderNumber(Base):
    """The last number given in a year; the row is locked until the one who takes the next commits.

    The changes of the calendar, in the year 0, are only kept one after the other by it.
    """

    __tablename__ = "order_numbers"
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)  # order, archive, calendar
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class Notice(Base):
    """Something that an office is told once: `key` says about what and when. No personal data."""

    __tablename__ = "notices"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # unsigned, leader, eve, overdue, weekly, urge
    subject: Mapped[str] = mapped_column(String(96))  # order:<public id>, unit:<id>, route:centre, route:inspection
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))  # None: for inspection, or for the centre if it is the subject
    key: Mapped[str] = mapped_column(String(128), unique=True)
    text: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(8), default="waiting")  # waiting, sent
    sent_at: Mapped[datetime | None]
    __table_args__ = (Index(None, "state", "due_at"), Index(None, "unit_id", "due_at"))


class RegisterEntry(Base):
    """The entry of the on-site register: exactly one per handled incident (R1). Its sealed value is bound to `incident_id`."""

    __tablename__ = "register_entries"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), unique=True)
    state: Mapped[str] = mapped_column(String(8))  # signed, refused, unable, missing
    reason: Mapped[str] = mapped_column(Text, default="")  # why the person was unable to sign
    by: Mapped[str] = mapped_column(String(64), default="")  # in clear by the release before; empty since
    by_sealed: Mapped[bytes | None]  # the officer who had it signed
    at: Mapped[datetime]
    incident: Mapped[Incident] = relationship()
