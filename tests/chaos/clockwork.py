"""Moves virtual time through a campaign that nobody leads: the house's own clock processes sweep, its workers dial.

Time is compressed some hundred times, the reactions of processes are not. So virtual time must not run away from a request
that may still be on its way to the carrier: it stops short of the grace after which the carrier's list is believed, until so
much real time is over that no process can be about to send it. Everything else may happen at any moment.
"""

import time
from collections import Counter
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

STEP, STRIDE, LONG_STRIDE, LEAP = timedelta(seconds=6), timedelta(seconds=25), timedelta(seconds=60), timedelta(minutes=10)
"""How far time goes at each look: while somebody is due, while many talk, while few do, and beyond the moment when nobody does."""

CLAIM_LASTS = timedelta(seconds=4)
"""So old a claim may be and is still dialled for certain."""

FEW_CALLS = 10
BEAT_SECONDS = 0.1
SHORT_OF_GRACE = LIST_GRACE - timedelta(seconds=10)
"""How far virtual time may go beyond a request that may still be on its way."""

CLAIM_PATIENCE_SECONDS = 10.0
"""Real time for which virtual time waits for a claim while nothing is dialled; afterwards it may grow stale and be claimed anew.
Long, because on a loaded machine to let a claim go takes as long as to dial it: nearly all would grow stale, again and again.
"""

SENDING = {"requested": CLAIM_AGE_SECONDS + 3.0, "unknown": 1.5}
"""So many seconds after the status was seen the request may still come to the carrier; who calls it unknown has given up waiting."""

SENDING_LOOKS = 15
"""And so many looks at the house, because on a slow machine a look takes longer and so does the carrier."""

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
    undecided: bool = False
    """Whether nobody is to be called any more unless a review decides so."""

    def __str__(self) -> str:
        """What is still open, in a line."""
        flying = dict(Counter(status for _, status, _ in self.flying))
        return (
            f"the campaign is {self.state}; {self.settled} calls settled, {self.unsettled} not, of these on their way {flying}; "
            f"{self.recordings} recordings to be fetched, {self.held} holds for a person, next due {self.following}"
        )


@dataclass
class Clockwork:
    """`run` returns when the campaign has ended and its recordings are done. `longest_stuck` is the longest real time for
    which nothing became settled although calls were open; `lifted` counts the holds that a person had to lift. `tell` hears
    how many calls were asked for and how many are settled, together: how far the campaign is.
    """

    exchange: RemoteExchange
    sessions: sessionmaker[Session]
    campaign_id: int
    is_dialler_stopped: Callable[[], bool]
    watch_over: Callable[[], int]
    tell: Callable[[int], None]
    lines: int
    longest_seconds: float
    longest_stuck: float = 0.0
    lifted: int = 0
    _seen: dict[tuple[int, str], tuple[float, int]] = field(default_factory=dict)
    """Since when, in seconds and in looks, each flight has been seen as it is."""

    _looks: int = 0
    _dialled: tuple[int, float] = (0, 0.0)
    """How many were dialled, and when the last one was: on a slow machine a claim waits behind others."""

    def run(self) -> None:
        """Move on to the end. Raises Stuck after `longest_seconds`."""
        until, moved_at, settled = time.monotonic() + self.longest_seconds, time.monotonic(), -1
        ended = ("finished", "stopped")
        while not ((sight := self._look()).state in ended or sight.undecided) or sight.recordings or sight.unsettled:
            now = time.monotonic()
            if now > until:
                raise Stuck(f"not finished after {self.longest_seconds:.0f} s: {sight}")
            self.tell(sight.dialled + sight.settled)
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
            return line.now + STEP
        if busy:
            return line.now + (STRIDE if line.live_calls > FEW_CALLS else LONG_STRIDE)
        if sight.following is None or self._look().unsettled:
            return line.now
        return sight.following + LEAP

    def _limits(self, sight: Sight) -> list[datetime]:
        """How far time may go for the sake of each claim and request that may still be acted on."""
        now, limits = time.monotonic(), []
        self._looks += 1
        if sight.dialled != self._dialled[0]:
            self._dialled = sight.dialled, now
        stopped = self.is_dialler_stopped()
        seen, self._seen = self._seen, {}
        for attempt_id, status, at in sight.flying:
            first, look = seen.get((attempt_id, status), (now, self._looks))
            if stopped and status == "requested":
                first, look = now, self._looks
            self._seen[attempt_id, status] = first, look
            if status == "claimed" and now - max(first, self._dialled[1]) < CLAIM_PATIENCE_SECONDS:
                limits.append(at + CLAIM_LASTS)
            if status in SENDING and (now - first < SENDING[status] or self._looks - look < SENDING_LOOKS):
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
        rows = session.execute(flying.where(CallAttempt.status.in_(("claimed", *SENDING)))).all()
        unsettled = session.scalar(select(func.count()).select_from(CallAttempt).where(CallAttempt.settled_at.is_(None)))
        settled = session.scalar(select(func.count()).select_from(CallAttempt).where(CallAttempt.settled_at.is_not(None)))
        following = queries.next_due(session)
        recordings = session.scalar(select(func.count()).select_from(Recording).where(Recording.due_at.is_not(None)))
        held = session.scalar(select(func.count()).select_from(Hold).where(Hold.lifted_at.is_(None), Hold.reason.in_(FOR_A_PERSON)))
        state = session.scalars(select(Campaign.state).where(Campaign.id == self.campaign_id)).one()
        dialled = session.scalar(select(func.count()).select_from(CallAttempt).where(CallAttempt.requested_at.is_not(None)))
        flights = [(row[0], row[1], row[2]) for row in rows]
        over, people = queries.progress(session, self.campaign_id)
        return Sight(state, flights, unsettled or 0, following, recordings or 0, settled or 0, held or 0, dialled or 0, over == people)
