"""The desk: who is on duty, which calls wait for an operator, to whom they were offered, and what was written down in them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.store.models.base import Base, Id, public_id
from survey.store.models.calls import CallAttempt
from survey.store.models.people import User


class Duty(Base):
    """An operator at the desk (O2); one row a person, kept when they go. `state`: a word of `survey.desk.duty.STATES`.

    `login` is the digest of the log-in whose browser is the desk: a newer one takes over (O4). `misses` counts offers missed in a row.
    """

    __tablename__ = "duties"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(8))
    since: Mapped[datetime]
    login: Mapped[str] = mapped_column(String(64), default="")
    misses: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(String(16), default="")  # why the state is as it is, where the system has set it: missed
    user: Mapped[User] = relationship()


class Takeover(Base):
    """One time that a call waits for an operator, is talked, and is sorted out. States and results: words of `survey.desk.takeovers`.

    `version` counts the changes. `ring_token` stands in the addresses of the operator's call, made anew for each ring: a telephone
    that rang in vain opens nothing any more. `wish` is what the operator has asked for: handed_back, ended. `danger_choice` is what the
    operator did about danger, a word of `survey.desk.danger.CHOICES`, empty while nothing was chosen. `held` and `muted` are what the
    operator wants, `held_there` and `muted_there` what the carrier has accepted, NULL while that is not known.
    """

    __tablename__ = "takeovers"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"), index=True)
    reason: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    result: Mapped[str] = mapped_column(String(16), default="")
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime]
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    claimed_at: Mapped[datetime | None]
    rings: Mapped[int] = mapped_column(default=0)
    ring_token: Mapped[str | None] = mapped_column(String(32), unique=True)
    ring_asked_at: Mapped[datetime | None]
    operator_sid: Mapped[str | None] = mapped_column(String(64))
    picked_up_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    joined_at: Mapped[datetime | None]
    bridged_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)  # asked for by every desk, each second
    released_at: Mapped[datetime | None]
    wish: Mapped[str] = mapped_column(String(16), default="")
    held: Mapped[bool] = mapped_column(default=False, server_default=false())
    muted: Mapped[bool] = mapped_column(default=False, server_default=false())
    held_there: Mapped[bool | None] = mapped_column(default=False, server_default=false())
    muted_there: Mapped[bool | None] = mapped_column(default=False, server_default=false())
    danger_choice: Mapped[str] = mapped_column(String(16), default="", server_default="")
    danger_at: Mapped[datetime | None]
    wrap_until: Mapped[datetime | None]
    extensions: Mapped[int] = mapped_column(default=0)
    wrapped_at: Mapped[datetime | None]
    verdict: Mapped[str] = mapped_column(String(24), default="")
    remark_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    attempt: Mapped[CallAttempt] = relationship()
    operator: Mapped[User | None] = relationship()
    __table_args__ = (
        Index(
            "uq_takeovers_open", "attempt_id", unique=True, sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_takeovers_going_on", "state", sqlite_where=text("state <> 'done'"), postgresql_where=text("state <> 'done'")),
    )  # fmt: skip


class Offer(Base):
    """A waiting call shown to one operator in one round. `outcome`: open, claimed, declined, missed, taken (by somebody else), gone."""

    __tablename__ = "offers"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    takeover_id: Mapped[int] = mapped_column(ForeignKey("takeovers.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    round: Mapped[int]
    offered_at: Mapped[datetime]
    until: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(8), default="open")
    __table_args__ = (UniqueConstraint("takeover_id", "user_id", "round"),)


class OperatorAnswer(Base):
    """An answer that an operator wrote down, append-only; what stood before it is kept beside it (O20)."""

    __tablename__ = "operator_answers"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    takeover_id: Mapped[int] = mapped_column(ForeignKey("takeovers.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    item: Mapped[str] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]
    before_code: Mapped[str | None] = mapped_column(String(32))
    before_raw: Mapped[str | None] = mapped_column(String(64))
    before_mode: Mapped[str | None] = mapped_column(String(8))
    before_confidence: Mapped[float | None]
