"""How a notice reaches people: what is on its way to whom by which channel, and who has read it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.store.models.base import Base, Id, public_id
from survey.store.models.orders import Notice


class NoticeDelivery(Base):
    """A notice on its way to one recipient by one channel. No address stands here: that is looked up when it is sent.

    `public_id` stays the same through all tries, so that the other side can tell a repeat.
    """

    __tablename__ = "notice_deliveries"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    channel: Mapped[str] = mapped_column(String(16))  # file, mail, webhook
    recipient: Mapped[str] = mapped_column(String(80))  # unit:<id>, user:<id>, or the channel's own name
    state: Mapped[str] = mapped_column(String(8), default="waiting")  # waiting, sent, failed (given up), dropped (no longer so)
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(64), default="")  # of the last try: a word of survey.notice_problems, a code
    notice: Mapped[Notice] = relationship()
    __table_args__ = (UniqueConstraint("notice_id", "channel", "recipient"), Index(None, "state", "due_at"))


class NoticeReading(Base):
    """Somebody has read a notice."""

    __tablename__ = "notice_readings"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), primary_key=True, autoincrement=False)
    at: Mapped[datetime]
