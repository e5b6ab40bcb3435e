"""What operation asks of the database: how dialling, conversations and the queue stand. Reads only, and never for long.

Rates are those of the last 24 hours of our own dialling; calls that people made to us, and requests that the carrier refused for the
moment, do not count.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from survey.ladder import ENDS, LIVE
from survey.store.models import (
    Alarm,
    AuditHead,
    CallAttempt,
    Campaign,
    CarrierEvent,
    Escalation,
    Hold,
    Incident,
    Lease,
    Respondent,
    Turn,
)  # fmt: skip

DAY = timedelta(days=1)
PACE = timedelta(seconds=10)
MACHINES = ("machine", "fax")
OUTCOMES = ("answered", "machine", *sorted(ENDS - {"completed"}), "open")
ASKED_AGAIN = {"digits": "keys", "heard": "speech", "noinput": "silence"}
MOST_STEPS = 50
STEPS_BETWEEN_LOOKS = 10_000  # of SQLite's machine: a few milliseconds


@dataclass(frozen=True)
class Calls:
    """Our own calls of the last 24 hours. Seconds are sums; `post_dial_count` calls rang, `people` were answered by no machine."""

    outcomes: Mapping[str, int] = field(default_factory=dict)
    answered: int = 0
    people: int = 0
    complete: int = 0
    silent: int = 0
    talk_seconds: float = 0.0
    post_dial_seconds: float = 0.0
    post_dial_count: int = 0
    spend: float = 0.0

    @property
    def placed(self) -> int:
        """Calls that the carrier took, or may have taken."""
        return sum(count for outcome, count in self.outcomes.items() if outcome != "rejected")


@dataclass(frozen=True)
class Now:
    """What stands at this moment. Moments are those of the oldest row, None where there is none."""

    unknown: int = 0
    unknown_since: datetime | None = None
    due: int = 0
    due_since: datetime | None = None
    lines_used: int = 0
    lines_allowed: int = 0
    starts_used: float = 0.0  # calls a second over the last ten seconds
    starts_allowed: float = 0.0
    cases: int = 0
    case_since: datetime | None = None
    needs_review: int = 0
    second_legs: int = 0
    audit_entries: int = 0
    sweep_until: datetime | None = None  # the end of the sweep's lease, in real time


@contextmanager
def bounded(session: Session, seconds: float) -> Iterator[None]:
    """Let no statement in the block run for longer: SQLite is interrupted, PostgreSQL cancels. Raises OperationalError then."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
        yield
        return
    driver: Any = session.connection().connection.driver_connection
    until = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > until, STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


def _ours(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    rang = or_(CallAttempt.disposition.is_not(None), CallAttempt.settled_at.is_(None))
    return and_(CallAttempt.direction == "out", rang, *conditions)


def _seconds(session: Session, later: InstrumentedAttribute[Any], earlier: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "postgresql":
        return func.extract("epoch", later - earlier)
    return (func.julianday(later) - func.julianday(earlier)) * 86400


def calls(session: Session, now: datetime) -> Calls:
    """The calls of the last 24 hours, in one pass."""
    machine = CallAttempt.answered_by.in_(MACHINES)
    status = CallAttempt.status
    outcome = case((machine, "machine"), (status == "completed", "answered"), (status.in_(LIVE), "open"), else_=status)
    lifted, person = CallAttempt.answered_at.is_not(None), or_(CallAttempt.answered_by.is_(None), ~machine)
    minutes = (func.coalesce(CallAttempt.seconds, 0) + 59) // 60
    counts = select(
        outcome, func.count(), func.count().filter(lifted), func.count().filter(lifted, person),
        func.count().filter(CallAttempt.disposition == "complete"), func.count().filter(CallAttempt.abandoned),
        func.sum(CallAttempt.seconds).filter(lifted), func.sum(_seconds(session, CallAttempt.ringing_at, CallAttempt.requested_at)),
        func.count(CallAttempt.ringing_at), func.sum(minutes * Campaign.minute_price),
    ).join(Campaign).where(_ours(CallAttempt.requested_at > now - DAY)).group_by(outcome)  # fmt: skip
    rows = [list(row) for row in session.execute(counts)]
    totals = [sum(float(value or 0) for value in column) for column in list(zip(*rows, strict=True))[2:]] or [0.0] * 8
    answered, people, complete, silent, talk, post_dial, rang, spend = totals
    return Calls(
        dict.fromkeys(OUTCOMES, 0) | {row[0]: row[1] for row in rows}, int(answered), int(people), int(complete), int(silent),
        talk, post_dial, int(rang), spend,
    )  # fmt: skip


def present(session: Session, now: datetime) -> Now:
    """How things stand at this moment."""
    unknown = _oldest(session, CallAttempt.requested_at, CallAttempt.status == "unknown")
    running = Campaign.state == "running"
    due = select(func.count(), func.min(Respondent.due_at)).select_from(Respondent).join(Campaign)
    waiting = session.execute(due.where(running, Respondent.state == "waiting", Respondent.due_at <= now)).one()
    lines, starts = session.execute(select(func.max(Campaign.lines), func.max(Campaign.calls_per_second)).where(running)).one()
    used = select(func.count()).select_from(CallAttempt).where(CallAttempt.status.in_(LIVE), CallAttempt.direction == "out")
    started = select(func.count()).select_from(CallAttempt).where(_ours(CallAttempt.requested_at > now - PACE))
    cases = _oldest(session, Escalation.opened_at, Escalation.state == "open")
    return Now(
        *unknown, *waiting, lines_used=session.scalar(used) or 0, lines_allowed=lines or 0,
        starts_used=(session.scalar(started) or 0) / PACE.total_seconds(), starts_allowed=starts or 0.0,
        cases=cases[0], case_since=cases[1], needs_review=needing_review(session),
        second_legs=session.scalar(select(func.count()).select_from(CarrierEvent).where(CarrierEvent.kind == "second_leg")) or 0,
        audit_entries=session.scalar(select(AuditHead.n)) or 0, sweep_until=sweep_until(session),
    )  # fmt: skip


def _oldest(session: Session, moment: InstrumentedAttribute[Any], condition: ColumnElement[bool]) -> tuple[int, datetime | None]:
    count, since = session.execute(select(func.count(), func.min(moment)).where(condition)).one()
    return count, since


def needing_review(session: Session) -> int:
    """Respondents at whom a person must look."""
    return session.scalar(select(func.count()).select_from(Respondent).where(Respondent.state == "needs_review")) or 0


def sweep_until(session: Session) -> datetime | None:
    """Until when the clock process has the right to sweep; None when none ever had."""
    return session.scalar(select(Lease.expires_at).where(Lease.name == "sweep"))


def break_offs(session: Session, now: datetime) -> dict[str, int]:
    """Conversations of the last 24 hours that ended before their time, by the script's step at which they stood."""
    ended = aliased(Turn)
    last = select(func.max(ended.step)).where(ended.attempt_id == CallAttempt.id, ended.node != "").scalar_subquery()
    broken = CallAttempt.disposition.in_(("break_off", "partial"))
    counted = select(Turn.node, func.count()).join(CallAttempt, and_(CallAttempt.id == Turn.attempt_id, Turn.step == last))
    counted = counted.where(_ours(CallAttempt.requested_at > now - DAY), broken).group_by(Turn.node)
    return {row[0]: row[1] for row in session.execute(counted.order_by(func.count().desc()).limit(MOST_STEPS))}


def re_asks(session: Session, now: datetime) -> dict[str, int]:
    """Questions of the last 24 hours that had to be asked again, by what came in place of an answer: keys, speech, silence."""
    again, kind = aliased(Turn), Turn.event["event"].as_string()
    same = and_(again.attempt_id == Turn.attempt_id, again.step == Turn.step - 1, again.node == Turn.node)
    counted = select(kind, func.count()).select_from(Turn).join(again, same).join(CallAttempt, CallAttempt.id == Turn.attempt_id)
    counted = counted.where(_ours(CallAttempt.requested_at > now - DAY), Turn.node != "", kind.in_(tuple(ASKED_AGAIN))).group_by(kind)
    return dict.fromkeys(ASKED_AGAIN.values(), 0) | {ASKED_AGAIN[word]: count for word, count in session.execute(counted)}


def open_campaigns(session: Session) -> Sequence[Campaign]:
    """Campaigns that call or may yet call, oldest first."""
    return session.scalars(select(Campaign).where(Campaign.state.in_(("ready", "running", "paused"))).order_by(Campaign.id)).all()


def alarms(session: Session) -> dict[str, int]:
    """Standing alarms by kind."""
    counted = select(Alarm.kind, func.count()).where(Alarm.cleared_at.is_(None)).group_by(Alarm.kind)
    return {row[0]: row[1] for row in session.execute(counted)}


def holds(session: Session, now: datetime) -> dict[str, int]:
    """Standing holds by reason."""
    stands = and_(Hold.lifted_at.is_(None), or_(Hold.until.is_(None), Hold.until > now))
    counted = select(Hold.reason, func.count()).where(stands).group_by(Hold.reason)
    return {row[0]: row[1] for row in session.execute(counted)}


def last_callback_at(session: Session) -> datetime | None:
    """When the carrier last called back about any call."""
    return session.scalar(select(CarrierEvent.at).where(CarrierEvent.kind != "call_off").order_by(CarrierEvent.id.desc()).limit(1))


def placed_before(session: Session, moment: datetime) -> int:
    """Calls that the carrier took before `moment` and about which it has told nothing since."""
    waiting = and_(CallAttempt.status == "placed", CallAttempt.direction == "out", CallAttempt.placed_at <= moment)
    return session.scalar(select(func.count()).select_from(CallAttempt).where(waiting)) or 0


def a_sealed_number(session: Session) -> tuple[str, bytes] | None:
    """Any incident's public id and sealed number, to try the keys on; None while there is none."""
    found = select(Incident.public_id, Incident.phone_sealed).where(Incident.phone_sealed.is_not(None))
    row = session.execute(found.order_by(Incident.id.desc()).limit(1)).one_or_none()
    return None if row is None or row.phone_sealed is None else (row.public_id, row.phone_sealed)
