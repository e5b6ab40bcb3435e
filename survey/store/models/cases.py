"""Who waits for a person, and who must not be called."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.store.models.base import Base, Id, public_id
from survey.store.models.calls import CallAttempt
from survey.store.models.campaigns import Respondent


class Escalation(Base):
    """A case in the human queue. Exactly one per respondent; later reasons are added to it."""

    __tablename__ = "escalations"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"), unique=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"))
    reasons: Mapped[list[Any]]  # in order of appearance: dissatisfied, human_requested, danger, abuse_alleged
    route: Mapped[str] = mapped_column(String(16), default="centre")  # centre or inspection (R35)
    priority: Mapped[int]  # 1 at once, 2 today, 3 in time
    consent: Mapped[str] = mapped_column(String(8), default="unasked")  # yes, no, unasked
    state: Mapped[str] = mapped_column(String(16), default="open")  # open, closed, merged, withdrawn, settled (by an operator in the talk)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(Id)  # of the other ticket of the same incident
    respondent: Mapped[Respondent] = relationship()
    attempt: Mapped[CallAttempt] = relationship()
    __table_args__ = (Index(None, "state", "due_at"),)


class TicketNote(Base):
    """One line of a ticket's history, never changed: what was done or noted, by whom; the text may hold names."""

    __tablename__ = "ticket_notes"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id"), index=True)
    what: Mapped[str] = mapped_column(String(16))  # a word of casework.tickets.STEPS
    text_sealed: Mapped[bytes | None]
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class Suppression(Base):
    """A number that must not be called. Final until a named person lifts it with a reason (R16)."""

    __tablename__ = "suppressions"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    phone_key: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    reason: Mapped[str] = mapped_column(String(64))
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("call_attempts.id"))
    at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    lift_reason: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        Index(
            "uq_suppressions_standing", "phone_key", unique=True, sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )  # fmt: skip
