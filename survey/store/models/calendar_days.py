"""The working-day calendar as administrators have changed it, beside the one that is shipped (R48, A42)."""

from datetime import date, datetime

from sqlalchemy import Date, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from survey.store.models.base import Base


class CalendarDay(Base):
    """What holds for one day, above what is shipped. `kind`: off, work, or rule (as its weekday says).

    `source` is the name of the file that it came with, empty where somebody has set it by hand; `revision` counts the changes of the
    whole calendar, so that each process sees at once whether it has the last one.
    """

    __tablename__ = "calendar_days"
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(64), default="")
    source: Mapped[str] = mapped_column(String(255), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    revision: Mapped[int]
