"""Moves virtual time through a campaign that nobody leads: the house's own clock processes sweep, its workers dial.

Time is compressed some hundred times, the reactions of processes are not. So virtual time must not run away from a request
that may still be on its way to the carrier: it stops short of the grace after which the carrier's list is believed, until so
much real time is over that no process can be about to send it. Everything else may happen at any moment.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from config.conductor import LineState, RemoteExchange
from survey.holds import HoldReason
from survey.store.models import CallAttempt, Campaign, Hold, Recording
from survey.store.queries import fieldwork as queries
from worker.jobs import CLAIM_AGE_SECONDS, LIST_GRACE

TICK, STRIDE, LONG_STRIDE, LEAP = timedelta(seconds=4), timedelta(seconds=20), timedelta(seconds=60), timedelta(minutes=10)
FEW_CALLS = 10
BEAT_SECONDS = 0.06
SHORT_OF_GRACE = LIST_GRACE - timedelta(seconds=10)
"""How far virtual time may go beyond a request that may still be on its way."""

CLAIM_PATIENCE_SECONDS = 1.0
"""Real time for which virtual time waits for a claim while nothing is dialled; afterwards it may grow stale and be claimed anew."""

POST_SECONDS = 3.0
FOR_A_PERSON = [reason.word for reason in HoldReason if reason.needs_person]


class Stuck(AssertionError):
    """Nothing has moved for too long."""


@dataclass
class Sight:
    """One look at the database."""

    state: str
    flying: list[tuple[int, str, datetime]]
    unsettled: int
    following: datetime | None
    recordings: int
    settled: int
    held: int
    dialled: int


@dataclass
class Clockwork:
    """`run` returns when the campaign has ended and its recordings are done. `longest_stuck` is the longest real time for
    which nothing became settled although calls were open; `lifted` counts the holds that a person had to lift.
    """

    exchange: RemoteExchange
    sessions: sessionmaker[Session]
    campaign_id: int
    is_dialler_stopped: Callable[[], bool]
    watch_over: Callable[[], int]
    lines: int
    longest_seconds: float
    longest_stuck: float = 0.0
    lifted: int = 0
    _seen: dict[tuple[int, str], float] = field(default_factory=dict)
    _dialled: tuple[int, float] = (0, 0.0)
    """How many were dialled, and when the last one was: on a slow machine a claim waits behind others."""

    def run(self) -> None:
        """Move on to the end. Raises Stuck after `longest_seconds`."""
        until, moved_at, settled = time.monotonic() + self.longest_seconds, time.monotonic(), -1
        while (sight := self._look()).state not in ("finished", "stopped") or sight.recordings or sight.unsettled:
            now = time.monotonic()
            if now > until:
                raise Stuck(f"not finished after {self.longest_seconds:.0f} s: {sight}")
            if sight.settled != settled or not sight.unsettled:
                settled, moved_at = sight.settled, now
            self.longest_stuck = max(self.longest_stuck, now - moved_at)
            if sight.held:
                self.lifted += self.watch_over()
            self._move(sight)
            time.sleep(BEAT_SECONDS)

    def _move(self, sight: Sight) -> None:
        line = self.exchange.state()
        wanted = self._wanted(line, sight)
        horizon = min((wanted, *self._limits(sight)))
        if horizon > line.now:
            self.exchange.advance(horizon)

    def _wanted(self, line: LineState, sight: Sight) -> datetime:
        busy = line.live_calls or sight.unsettled or sight.recordings
        if sight.following is not None and sight.following <= line.now and sight.unsettled < self.lines:
            return line.now + TICK
        if busy:
            return line.now + (STRIDE if line.live_calls > FEW_CALLS else LONG_STRIDE)
        if sight.following is None or self._look().unsettled:
            return line.now
        return sight.following + LEAP

    def _limits(self, sight: Sight) -> list[datetime]:
        """How far time may go for the sake of each claim and request that may still be acted on."""
        now, limits = time.monotonic(), []
        if sight.dialled != self._dialled[0]:
            self._dialled = sight.dialled, now
        stopped = self.is_dialler_stopped()
        seen, self._seen = self._seen, {}
        for attempt_id, status, at in sight.flying:
            first = now if stopped and status == "requested" else seen.get((attempt_id, status), now)
            self._seen[attempt_id, status] = first
            if status == "claimed" and now - max(first, self._dialled[1]) < CLAIM_PATIENCE_SECONDS:
                limits.append(at + TICK)
            if status == "requested" and now - first < CLAIM_AGE_SECONDS + POST_SECONDS:
                limits.append(at + SHORT_OF_GRACE)
        return limits

    def _look(self) -> Sight:
        """Look until the database answers. Raises Stuck when it does not come back."""
        until = time.monotonic() + 60
        while True:
            try:
                with self.sessions() as session:
                    return self._sight(session)
            except SQLAlchemyError as problem:
                if time.monotonic() > until:
                    raise Stuck("the database has not come back") from problem
                time.sleep(0.05)

    def _sight(self, session: Session) -> Sight:
        flying = select(CallAttempt.id, CallAttempt.status, func.coalesce(CallAttempt.requested_at, CallAttempt.claimed_at))
        rows = session.execute(flying.where(CallAttempt.status.in_(("claimed", "requested")))).all()
        unsettled = session.scalar(select(func.count()).select_from(CallAttempt).where(CallAttempt.settled_at.is_(None)))
        settled = session.scalar(select(func.count()).select_from(CallAttempt).where(CallAttempt.settled_at.is_not(None)))
        following = queries.next_due(session)
        recordings = session.scalar(select(func.count()).select_from(Recording).where(Recording.due_at.is_not(None)))
        held = session.scalar(select(func.count()).select_from(Hold).where(Hold.lifted_at.is_(None), Hold.reason.in_(FOR_A_PERSON)))
        state = session.scalars(select(Campaign.state).where(Campaign.id == self.campaign_id)).one()
        dialled = session.scalar(select(func.count()).select_from(CallAttempt).where(CallAttempt.requested_at.is_not(None)))
        flights = [(row[0], row[1], row[2]) for row in rows]
        return Sight(state, flights, unsettled or 0, following, recordings or 0, settled or 0, held or 0, dialled or 0)
