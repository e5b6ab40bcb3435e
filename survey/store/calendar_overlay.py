"""Keeps the calendar of this process at what administrators have entered: a change holds in every process within seconds (A42).

Asked for at the border, where units of work begin, so that no rule about working days needs a session.
"""

import threading
import time

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from survey import working_days
from survey.store.models import CalendarDay
from survey.working_days import Calendar, SpecialDay

PERIOD_SECONDS = 5.0

_lock = threading.Lock()
_seen: dict[str, float | int] = {}
_where: list[str] = []


def keep_current(session: Session, *, at_once: bool = False) -> None:
    """Take the stored days into the calendar `cn`, where they have changed; looked at every five seconds unless asked `at_once`.

    Call it first in a transaction. While one thread looks, the others go on with what they have.
    """
    database = str(session.get_bind().engine.url)
    is_known = _where == [database]
    if not at_once and is_known and time.monotonic() < _seen["next"]:
        return
    if not _lock.acquire(blocking=at_once):
        return
    try:
        revision = _revision(session)
        if not is_known or revision != _seen["revision"]:
            working_days.install(stored(session) if revision else (), "stored")
        _where[:] = [database]
        _seen.update(next=time.monotonic() + PERIOD_SECONDS, revision=revision)
    finally:
        _lock.release()


def _revision(session: Session) -> int:
    """The last change of the stored calendar; 0 where there is none, or the database is older than this table."""
    try:
        return session.scalar(select(func.max(CalendarDay.revision))) or 0
    except (ProgrammingError, OperationalError) as problem:
        if isinstance(problem, OperationalError) and "no such table" not in str(problem.orig):
            raise
        session.rollback()
        return 0


def forget() -> None:
    """Know nothing of any database: the next unit of work looks again."""
    with _lock:
        _where.clear()
        working_days.install((), "stored")


def in_force(session: Session) -> Calendar:
    """The calendar `cn` with the days that are stored at this moment, whatever this process holds."""
    return working_days.beneath().with_days(stored(session))


def stored(session: Session) -> list[SpecialDay]:
    """The stored days in the order of the calendar."""
    days = session.scalars(select(CalendarDay).order_by(CalendarDay.day))
    return [SpecialDay(each.day, each.kind, each.name) for each in days]
