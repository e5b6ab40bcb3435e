"""The units, the incidents that were reported to them, and the sample drawn from those."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.store.models.base import Base, Id, public_id


class Unit(Base):
    """A police unit that handles incidents: the stratum of the sample and the row of the sheet."""

    __tablename__ = "units"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    email: Mapped[str] = mapped_column(String(254), default="", server_default="")  # the office's own, for notices about orders


class IncidentImport(Base):
    """One run of `import` over one file, with its counts."""

    __tablename__ = "incident_imports"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    file_name: Mapped[str] = mapped_column(String(255))
    file_digest: Mapped[str] = mapped_column(String(64), index=True)
    mapping_name: Mapped[str] = mapped_column(String(128))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # read, new, changed, known, rejected


class Incident(Base):
    """A police incident somebody reported. `exclusion` is the one standing reason why it is not called, if any."""

    __tablename__ = "incidents"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id)
    number: Mapped[str] = mapped_column(String(64), unique=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    category: Mapped[str] = mapped_column(String(64))
    call_type: Mapped[str] = mapped_column(String(64), default="")
    occurred_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None]
    closed_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64))  # the called party's time zone
    phone_key: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    phone_sealed: Mapped[bytes | None]
    reporter_sealed: Mapped[bytes | None]
    officer_sealed: Mapped[bytes | None]
    place_sealed: Mapped[bytes | None]
    exclusion: Mapped[str | None] = mapped_column(String(32))  # word of survey.eligibility.Exclusion
    made_up: Mapped[bool] = mapped_column(default=False)
    row_digest: Mapped[str] = mapped_column(String(64))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("incident_imports.id"))
    unit: Mapped[Unit | None] = relationship()
    __table_args__ = (Index(None, "closed_at"), Index(None, "phone_key"))


class Draw(Base):
    """One month's random sample: everything that is needed to draw it again (R10)."""

    __tablename__ = "draws"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    month: Mapped[str] = mapped_column(String(7), index=True)  # YYYY-MM, local calendar of the bureau
    size: Mapped[int]
    minimum: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    replicates: Mapped[int]
    frame_count: Mapped[int]
    frame_digest: Mapped[str] = mapped_column(String(64))
    program_version: Mapped[str] = mapped_column(String(32))
    allocation: Mapped[list[Any]]  # [{unit, frame, drawn}], frame order
    exclusions: Mapped[dict[str, Any]]  # reason -> count; frame_count + sum = incidents of the month
    incident_count: Mapped[int]
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)  # zone of the month's calendar, quarantine_days
    drawn_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None] = mapped_column(Text)


class DrawnIncident(Base):
    """One place in the sample: `position` is the order of the draw, `replicate` counts from 1."""

    __tablename__ = "drawn_incidents"
    draw_id: Mapped[int] = mapped_column(ForeignKey("draws.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    replicate: Mapped[int]
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    weight: Mapped[float]  # N_h / n_h
    incident: Mapped[Incident] = relationship()
