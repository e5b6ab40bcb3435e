"""Every dialling with its turns, its answers and what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.store.models.base import Base, Id
from survey.store.models.campaigns import Campaign, Respondent


class CallAttempt(Base):
    """One dialling of one respondent.

    `status` is the technical ladder of `survey.ladder` (forward only), `disposition` the verdict.
    `token` names the attempt in the carrier's URLs; `live_key` equals `phone_key` while the attempt may ring,
    so that a unique index forbids two live attempts to one number.
    """

    __tablename__ = "call_attempts"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"), index=True)
    number: Mapped[int]  # 1, 2, ... per respondent
    direction: Mapped[str] = mapped_column(String(8), default="out", server_default="out")  # out, or in: the person called back
    purpose: Mapped[str] = mapped_column(String(8), default="survey", server_default="survey")  # survey, callback: an operator calls
    token: Mapped[str] = mapped_column(String(32), unique=True)
    epoch: Mapped[int] = mapped_column(default=0)
    phone_key: Mapped[bytes] = mapped_column(LargeBinary(16))
    live_key: Mapped[bytes | None] = mapped_column(LargeBinary(16), unique=True)
    status: Mapped[str] = mapped_column(String(16), default="claimed")
    carrier_sid: Mapped[str | None] = mapped_column(String(64), unique=True)
    answered_by: Mapped[str | None] = mapped_column(String(32))
    error: Mapped[str] = mapped_column(String(64), default="")  # carrier's or our code, e.g. 21211, timeout
    disposition: Mapped[str | None] = mapped_column(String(24))
    step: Mapped[int] = mapped_column(default=0)  # turns answered so far = number of the step expected next
    flow_state: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    script_version_id: Mapped[int] = mapped_column(ForeignKey("script_versions.id"))
    claimed_at: Mapped[datetime]
    requested_at: Mapped[datetime | None]
    placed_at: Mapped[datetime | None]
    ringing_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    voice_at: Mapped[datetime | None]  # our first words were handed to the carrier
    ended_at: Mapped[datetime | None]
    seconds: Mapped[int | None]
    abandoned: Mapped[bool] = mapped_column(default=False, server_default=false())  # a person answered and heard nothing in time (R18)
    settled_at: Mapped[datetime | None]  # the respondent's next step was decided; without a disposition: nothing rang
    asked_at: Mapped[datetime | None]  # the carrier was last asked what became of the call
    respondent: Mapped[Respondent] = relationship()
    campaign: Mapped[Campaign] = relationship()
    __table_args__ = (
        UniqueConstraint("respondent_id", "number"),
        Index(None, "campaign_id", "status"),
        Index(None, "status"),
        Index(None, "claimed_at"),
        Index(None, "requested_at"),
        Index("ix_call_attempts_unsettled", "settled_at", "status"),
        Index(None, "phone_key"),
        Index(None, "answered_at"),
    )


class Turn(Base):
    """One round trip of a call: the event that came, the reply that was sent. A repeat gets the same reply."""

    __tablename__ = "turns"
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    node: Mapped[str] = mapped_column(String(64))  # script step waiting after this turn, or "" at the end
    event: Mapped[dict[str, Any]]
    reply: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Answer(Base):
    """One respondent's answer to one item, with its provenance."""

    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"), index=True)
    script_version_id: Mapped[int] = mapped_column(ForeignKey("script_versions.id"))
    item: Mapped[str] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(32))
    score: Mapped[float | None]
    raw: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))  # keys, speech, human
    confidence: Mapped[float | None]
    answered_at: Mapped[datetime]
    attempt: Mapped[CallAttempt] = relationship()
    __table_args__ = (UniqueConstraint("respondent_id", "item"),)


class DispositionChange(Base):
    """Every change of a respondent's disposition, kept."""

    __tablename__ = "disposition_changes"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"), index=True)
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("call_attempts.id"))
    old: Mapped[str] = mapped_column(String(24))
    new: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime]


class CarrierEvent(Base):
    """What happened to a call at the carrier, so that a repeat is recognised: callbacks that were applied, legs, failures."""

    __tablename__ = "carrier_events"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"))
    kind: Mapped[str] = mapped_column(String(16))  # status, recording, machine, second_leg, led_back, broken
    key: Mapped[str] = mapped_column(String(96))  # sequence number, recording sid and status...
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("attempt_id", "kind", "key"),)
