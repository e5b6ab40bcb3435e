"""The second calls: to whom they are made after a unit's answer, in which campaign, and what came of them (R51)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.store.models.base import Base, Id
from survey.store.models.campaigns import Respondent
from survey.store.models.orders import Order


class RecallRound(Base):
    """The campaign in which the people of a survey campaign are called again after the `round`-th answers to their orders."""

    __tablename__ = "recall_rounds"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True, autoincrement=False)
    follows_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))  # the survey campaign
    round: Mapped[int]
    __table_args__ = (UniqueConstraint("follows_id", "round"),)


class Recall(Base):
    """The person of an order is called again after its `round`-th answer, as this respondent.

    `result` is a word of `survey.orders.RECALLED`; empty until it was noted, and where the order went on otherwise.
    """

    __tablename__ = "recalls"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    round: Mapped[int]
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"), unique=True)
    entered_at: Mapped[datetime]
    result: Mapped[str] = mapped_column(String(16), default="")
    noted_at: Mapped[datetime | None]
    order: Mapped[Order] = relationship()
    respondent: Mapped[Respondent] = relationship()
    __table_args__ = (UniqueConstraint("order_id", "round"), Index(None, "noted_at"))
