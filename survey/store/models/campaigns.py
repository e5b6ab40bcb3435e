"""What is asked, in which campaign, and of whom."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.store.models.base import Base, Id, public_id
from survey.store.models.incidents import Draw, Incident, Unit


class ScriptVersion(Base):
    """One immutable, published text of a call script."""

    __tablename__ = "script_versions"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    number: Mapped[int]
    language: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16), default="survey", server_default="survey")  # survey, followup: see survey.script
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (UniqueConstraint("name", "number"),)


class Campaign(Base):
    """One fielding of one script version on one draw. `state`: ready, running, paused, stopped, finished.

    `kind` is that of its script: the month's survey, or the second calls after the units' answers (`followup`, see `recalls`).
    """

    __tablename__ = "campaigns"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    name: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(16), default="survey", server_default="survey")
    month: Mapped[str] = mapped_column(String(7))
    draw_id: Mapped[int] = mapped_column(ForeignKey("draws.id"))
    script_version_id: Mapped[int] = mapped_column(ForeignKey("script_versions.id"))
    state: Mapped[str] = mapped_column(String(16), default="ready")
    state_reason: Mapped[str] = mapped_column(Text, default="")
    lines: Mapped[int]  # concurrent calls at most
    calls_per_second: Mapped[float]
    caller_id: Mapped[str] = mapped_column(String(20))
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)  # see survey.contact_rules.Rules
    simulated: Mapped[bool] = mapped_column(default=False)  # such answers never enter a real month
    hourly_calls: Mapped[int | None]  # calls started in any hour at most; None: no cap
    daily_calls: Mapped[int | None]  # the same in any 24 hours
    spend_limit: Mapped[float | None]  # of the estimated bill, in the currency of the price of a minute
    minute_price: Mapped[float] = mapped_column(default=0.0, server_default="0")  # of a started minute of talk
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    draw: Mapped[Draw] = relationship()
    script_version: Mapped[ScriptVersion] = relationship()


class Respondent(Base):
    """A drawn person. `state`: waiting (to be called at `due_at`), calling, closed, needs_review."""

    __tablename__ = "respondents"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    position: Mapped[int]
    replicate: Mapped[int]
    weight: Mapped[float]
    phone_key: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    due_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)  # attempts that reached the carrier
    disposition: Mapped[str] = mapped_column(String(24), default="not_attempted")
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str] = mapped_column(String(64), default="")
    booked_for: Mapped[datetime | None]  # a call-back that was promised for this time; the contact rules' spacing gives way to it
    booked_by: Mapped[str] = mapped_column(String(64), default="", server_default="")  # respondent, or the user who booked it
    review_reason: Mapped[str] = mapped_column(String(64), default="", server_default="")  # why a person must look
    pushed_back: Mapped[int] = mapped_column(default=0, server_default="0")  # times in a row that the carrier had no room for the call
    campaign: Mapped[Campaign] = relationship()
    incident: Mapped[Incident] = relationship()
    unit: Mapped[Unit | None] = relationship()
    __table_args__ = (
        UniqueConstraint("campaign_id", "incident_id"),
        Index(None, "campaign_id", "state", "replicate", "due_at", "id"),  # the order in which the sweep takes them
        Index(None, "booked_for"),
    )
