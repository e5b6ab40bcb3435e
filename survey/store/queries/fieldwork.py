"""What fieldwork asks: who is due, how many lines are taken, what is stuck."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Insert, and_, exists, func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from survey.ladder import ENDS, LIVE
from survey.store.models import Alarm, Answer, CallAttempt, Campaign, Recording, Respondent, Suppression, Turn, table_of

ANSWER_KEY = ("respondent_id", "item")
INCOMING_SILENCE = timedelta(minutes=2)
TURN_INSERT = insert(table_of(Turn))


def running_campaigns(session: Session) -> Sequence[Campaign]:
    """Campaigns that may call, oldest first."""
    return session.scalars(select(Campaign).where(Campaign.state == "running").order_by(Campaign.id)).all()


def lines_taken(session: Session) -> int:
    """How many of our attempts may hold a line at this moment, over all campaigns."""
    return session.scalar(select(func.count()).where(CallAttempt.status.in_(LIVE), CallAttempt.direction == "out")) or 0


def open_replicate(session: Session, campaign_id: int) -> int | None:
    """The last replicate that may be dialled: the first one with a case that has had no attempt (R11); None: all."""
    untouched = select(func.min(Respondent.replicate)).where(
        Respondent.campaign_id == campaign_id, Respondent.state.in_(("waiting", "calling")), Respondent.tries == 0
    )
    return session.scalar(untouched)


def due_respondents(session: Session, campaign_id: int, now: datetime, replicate: int | None, limit: int) -> Sequence[Respondent]:
    """Who is to be called now: booked call-backs, then the earliest replicate and due time; nobody whose number is on a line."""
    live = exists().where(CallAttempt.live_key == Respondent.phone_key)
    due = select(Respondent).where(Respondent.campaign_id == campaign_id, Respondent.state == "waiting", Respondent.due_at <= now, ~live)
    due = due.options(joinedload(Respondent.incident, innerjoin=True)).with_for_update(skip_locked=True, of=Respondent)
    booked = session.scalars(due.where(Respondent.booked_for <= now).order_by(Respondent.booked_for, Respondent.id).limit(limit)).all()
    rest = due.where(Respondent.booked_for.is_(None))
    if replicate is not None:
        rest = rest.where(Respondent.replicate <= replicate)
    ordered = rest.order_by(Respondent.replicate, Respondent.due_at, Respondent.id).limit(limit)
    return [*booked, *session.scalars(ordered)]


def next_due(session: Session) -> datetime | None:
    """When the next respondent of a running campaign is due; None when nobody waits."""
    waiting = select(func.min(Respondent.due_at)).join(Campaign).where(Campaign.state == "running", Respondent.state == "waiting")
    return session.scalar(waiting)


def claimed_attempts(session: Session) -> Sequence[tuple[int, int]]:
    """Id and epoch of the attempts that were claimed and not yet handed to the carrier, oldest first."""
    claimed = select(CallAttempt.id, CallAttempt.epoch).where(CallAttempt.status == "claimed").order_by(CallAttempt.id)
    return [(row[0], row[1]) for row in session.execute(claimed)]


def doubtful_attempts(session: Session, now: datetime, grace: timedelta, pause: timedelta = timedelta(0)) -> Sequence[int]:
    """Attempts of which nobody knows whether they rang, older than the grace within which the carrier's list may lag.

    Those about which the carrier was asked less than `pause` ago are left out.
    """
    doubtful = CallAttempt.status.in_(("requested", "unknown")), CallAttempt.requested_at <= now - grace
    return session.scalars(select(CallAttempt.id).where(*doubtful, _not_asked_since(now - pause)).order_by(CallAttempt.id)).all()


def silent_attempts(session: Session, now: datetime, limit: timedelta, pause: timedelta = timedelta(0)) -> Sequence[int]:
    """Attempts at the carrier from which the end has not been reported although no call lasts so long.

    Calls to us sooner: nobody tells their end unless the number was given an address for it.
    """
    live = CallAttempt.status.in_(("placed", "initiated", "ringing", "in_progress"))
    theirs = and_(CallAttempt.direction == "in", CallAttempt.claimed_at <= now - INCOMING_SILENCE)
    began = or_(func.coalesce(CallAttempt.requested_at, CallAttempt.claimed_at) <= now - limit, theirs)
    return session.scalars(select(CallAttempt.id).where(live, began, _not_asked_since(now - pause)).order_by(CallAttempt.id)).all()


def _not_asked_since(moment: datetime) -> ColumnElement[bool]:
    return or_(CallAttempt.asked_at.is_(None), CallAttempt.asked_at <= moment)


def unsettled_attempts(session: Session, now: datetime, grace: timedelta) -> Sequence[int]:
    """Attempts that ended at least `grace` ago and have no verdict yet."""
    ended = select(CallAttempt.id).where(
        CallAttempt.settled_at.is_(None), CallAttempt.status.in_(ENDS), CallAttempt.ended_at <= now - grace
    )
    return session.scalars(ended.order_by(CallAttempt.id)).all()


def open_recordings(session: Session, now: datetime) -> Sequence[int]:
    """Recordings that are to be fetched, or whose copy at the carrier is to be deleted, now."""
    return session.scalars(select(Recording.id).where(Recording.due_at <= now).order_by(Recording.due_at, Recording.id).limit(200)).all()


def put_answer(session: Session, values: dict[str, Any]) -> None:
    """Store a respondent's answer to an item, in one statement; a later one takes its place."""
    session.connection().execute(_answer_upsert(session.get_bind().dialect.name), values)


@cache
def _answer_upsert(dialect: str) -> Insert:
    """Built once: the building costs more than the running."""
    answers = table_of(Answer)
    fresh = postgresql.insert(answers) if dialect == "postgresql" else sqlite.insert(answers)
    newer = {column.name: fresh.excluded[column.name] for column in answers.columns if column.name not in ("id", *ANSWER_KEY)}
    return fresh.on_conflict_do_update(index_elements=ANSWER_KEY, set_=newer)


def put_suppression(session: Session, values: dict[str, Any]) -> int | None:
    """Add a number to the refusal list; the new row's id, or None when it stands there already."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(Suppression).values(values)
    once = fresh.on_conflict_do_nothing(index_elements=["phone_key"], index_where=Suppression.lifted_at.is_(None))
    number: int | None = session.scalar(once.returning(Suppression.id))
    return number


def put_alarm(session: Session, values: dict[str, Any]) -> None:
    """Raise an alarm; one that stands is counted once more and keeps the time of its beginning."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(Alarm).values(values)
    again = {"seen_at": fresh.excluded.seen_at, "details": fresh.excluded.details, "count": Alarm.count + 1}
    session.execute(fresh.on_conflict_do_update(index_elements=["kind", "subject"], index_where=Alarm.cleared_at.is_(None), set_=again))


def put_turn(session: Session, values: dict[str, Any]) -> None:
    """Store one round trip of a call."""
    session.connection().execute(TURN_INSERT, values)


def is_bound(session: Session, sid: str) -> bool:
    """Whether the carrier's call is already tied to an attempt."""
    return bool(session.scalar(select(exists().where(CallAttempt.carrier_sid == sid))))


def attempts_with(session: Session, respondent_id: int, error: str) -> int:
    """How many of the respondent's attempts ended with this error."""
    mine = CallAttempt.respondent_id == respondent_id, CallAttempt.error == error
    return session.scalar(select(func.count()).select_from(CallAttempt).where(*mine)) or 0


def progress(session: Session, campaign_id: int) -> tuple[int, int]:
    """How many respondents are done (closed or handed to a person), and how many there are."""
    done = func.count().filter(Respondent.state.in_(("closed", "needs_review")))
    closed, total = session.execute(select(done, func.count()).where(Respondent.campaign_id == campaign_id)).one()
    return closed, total


def dispositions(session: Session, campaign_id: int) -> list[tuple[str, int]]:
    """Respondents by disposition word; the counts add up to the sample."""
    counted = select(Respondent.disposition, func.count()).where(Respondent.campaign_id == campaign_id).group_by(Respondent.disposition)
    return [(word, count) for word, count in session.execute(counted.order_by(Respondent.disposition))]
