"""Conducts virtual time through a simulated campaign: sweep, let the workers act, move the exchange's clock on.

The order matters: time stands still while a claim waits for its worker, so that no virtual second passes between
the decision to dial and the dialling.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from survey.errors import SurveyError
from survey.store.models import CallAttempt, Campaign, Recording
from survey.store.queries import fieldwork as queries
from worker import jobs
from worker.runtime import Runtime

TICK = timedelta(seconds=4)
"""Virtual time between two sweeps while somebody waits to be called."""

STRIDE = timedelta(seconds=30)
"""The same while calls are going on and nobody waits."""

PATIENCE_SWEEPS = 200
PATIENCE_SECONDS = 20.0
"""Real time granted to the workers for what they have been woken for; a hanging carrier takes up to its time-out."""


class Stuck(SurveyError):
    """The simulated campaign does not move on."""


@dataclass(frozen=True)
class LineState:
    """The exchange after a move of its clock: its time, its next event, the calls it holds, and those of them at a browser phone."""

    now: datetime
    next_event_at: datetime | None
    live_calls: int
    at_phones: int = 0


class RemoteExchange:
    """The simulator's control routes, asked over HTTP."""

    def __init__(self, base_url: str) -> None:
        self._base = f"{base_url}/simulator"
        self._http = requests.Session()
        self._http.trust_env = False

    def state(self) -> LineState:
        """Where the exchange stands."""
        return _line_state(self._get("clock"))

    def advance(self, until: datetime) -> LineState:
        """Let everything happen up to a virtual moment."""
        return _line_state(self._post("clock", {"until": until.isoformat()}))

    def run_in_real_time(self) -> None:
        """Let the exchange's clock follow the real one from here on."""
        self._post("clock", {"mode": "real"})

    def stand_still(self) -> None:
        """Stop the exchange's clock where it is, until it is moved on or runs again."""
        self._post("clock", {"mode": "virtual"})

    def end_calls(self) -> LineState:
        """Let everybody hang up who is not at a browser phone."""
        return _line_state(self._post("calls/end", {}))

    def put_people(self, callee: str, numbers: Collection[str]) -> None:
        """Put people of the kind `callee` at these numbers, instead of those that the table gives them."""
        self._post("people", {"callee": callee, "numbers": list(numbers)})

    def set_faults(self, faults: Mapping[str, Any]) -> None:
        """Make the line misbehave; see the simulator's faults for the names."""
        self._post("faults", dict(faults))

    def set_speech(self, speech: Mapping[str, Any]) -> None:
        """Say how callees speak, e.g. which share of them; see the simulator's `Speech` for the names."""
        self._post("speech", dict(speech))

    def connect_number(self, voice_url: str, status_url: str) -> None:
        """Say where calls to our number are to be brought, as at the carrier's console."""
        self._post("number", {"voice_url": voice_url, "status_url": status_url})

    def journal(self) -> list[dict[str, Any]]:
        """What happened at every call, as the carrier saw it."""
        calls: list[dict[str, Any]] = self._get("journal")["calls"]
        return calls

    def _get(self, route: str) -> dict[str, Any]:
        answer = self._http.get(f"{self._base}/{route}", timeout=60)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def _post(self, route: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._http.post(f"{self._base}/{route}", json=body, timeout=600)
        answer.raise_for_status()
        reply: dict[str, Any] = answer.json()
        return reply


def _line_state(body: Mapping[str, Any]) -> LineState:
    following = body["next_event_at"]
    next_event_at = datetime.fromisoformat(following) if following else None
    return LineState(datetime.fromisoformat(body["now"]), next_event_at, body["live_calls"], body["at_phones"])


def conduct(
    runtime: Runtime, exchange: RemoteExchange, sessions: sessionmaker[Session], campaign_id: int, report: Callable[[int, int], None]
) -> None:
    """Run a campaign to its end in virtual time; `report(closed, total)` is told of the progress, `sessions` only read.

    Raises Stuck when nothing is left to wait for although the campaign still runs.
    """
    idle = 0
    while not _is_finished(sessions, campaign_id, report):
        jobs.sweep(runtime)
        _await_workers(sessions)
        line = exchange.state()
        with sessions() as session:
            busy = line.live_calls or _count(session, CallAttempt.settled_at.is_(None))
            following = queries.next_due(session)
        if following is not None and following <= line.now:
            exchange.advance(line.now + TICK)
        elif busy:  # nobody to be called: only the end of a call, or the next due time, gives the sweep work
            exchange.advance(min(line.now + STRIDE, following or line.now + STRIDE))
        elif following is not None:
            exchange.advance(following)
        elif idle < PATIENCE_SWEEPS:  # the last settlement may be on its way through a worker
            idle += 1
            time.sleep(0.01)
        else:
            raise Stuck
    _await_recordings(runtime, exchange, sessions)


def _is_finished(sessions: sessionmaker[Session], campaign_id: int, report: Callable[[int, int], None]) -> bool:
    with sessions() as session:
        closed, total = queries.progress(session, campaign_id)
        state = session.scalars(select(Campaign.state).where(Campaign.id == campaign_id)).one()
    report(closed, total)
    return state != "running"


def _await_workers(sessions: sessionmaker[Session]) -> None:
    """Wait in real time until no claim and no request is under way."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with sessions() as session:
            if not _count(session, CallAttempt.status.in_(("claimed", "requested"))):
                return
        time.sleep(0.005)


def _await_recordings(runtime: Runtime, exchange: RemoteExchange, sessions: sessionmaker[Session]) -> None:
    """Let the last recordings be fetched; each sweep that finds some moves the clock on by a tick."""
    for _ in range(600):
        with sessions() as session:
            if not session.scalar(select(func.count()).where(Recording.due_at.is_not(None))):
                return
        jobs.sweep(runtime)
        time.sleep(0.02)
        exchange.advance(exchange.state().now + TICK)


def _count(session: Session, condition: Any) -> int:
    return session.scalar(select(func.count()).select_from(CallAttempt).where(condition)) or 0
