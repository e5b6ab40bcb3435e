"""What the calendar page shows of what administrators have entered. Reads only."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.store.models import CalendarDay


def days_of_year(session: Session, year: int) -> Sequence[CalendarDay]:
    """The stored days of one year, in order."""
    wanted = select(CalendarDay).where(CalendarDay.day >= date(year, 1, 1), CalendarDay.day <= date(year, 12, 31))
    return session.scalars(wanted.order_by(CalendarDay.day)).all()
