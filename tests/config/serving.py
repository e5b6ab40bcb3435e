"""A scene: `serve` with its real workers on one side, the simulated carrier in a process outside it on the other, a road between.

Virtual time is led by the test. It waits for each call that is being handed over, because the reactions of processes take real time.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from config import ports, processes
from config.clock import SystemClock
from config.conductor import RemoteExchange
from config.settings import Settings
from config.sweep import LEASE
from config.wiring import House
from survey.fieldwork import holds
from survey.holds import HoldReason
from survey.store.database import reading, session_factory
from survey.store.models import CallAttempt, Campaign, Incident, Lease, Recording, Respondent, Unit
from survey.store.queries import fieldwork as queries
from tests.calls.stage import free_port
from tests.config.test_serve import ROOT, family_of, wait_until
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import Ground
from tests.weather.proxy import Road, road
from worker.parents import die_with

START = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
PARTS = "migrate,voice,workers,clock"
DIALLERS = 2
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ENDINGS = ("00", "01", "02", "40")
"""Of the numbers that are called: three people who answer every question at the first call, and one who also leaves a remark."""

LEFT_SECONDS = 20.0
"""A step of virtual time that waits so long for a request is far from the minute after which the carrier's list is believed."""

LONGEST_SECONDS = 120.0
"""What a busy machine may take for what a quiet one does in a second or two."""


class People(Ground):
    """People of the kinds above."""

    def _incident(self, serial: int, unit: Unit, subscriber: int) -> Incident:
        subscriber = subscriber // len(ENDINGS) * 100 + int(ENDINGS[subscriber % len(ENDINGS)])
        return super()._incident(serial, unit, subscriber)


@dataclass
class Scene:
    """`exchange` is the carrier as the test sees it, `line` the road on which the house reaches it.

    `left` are the attempts that an earlier house has left half done: only virtual time brings them to their end.
    """

    settings: Settings
    exchange: RemoteExchange
    line: Road
    carrier: subprocess.Popen[bytes]
    serve: subprocess.Popen[bytes] | None = None
    left: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.house = House(self.settings)
        self.look = session_factory(reading(self.house.engine))
        self.people = People(self.house.engine, self.house.office, StandingClock(START))
        self.log = self.settings.data / "serve.log"

    @property
    def now(self) -> datetime:
        return self.exchange.state().now

    def start(self) -> None:
        """Start `serve` and wait until everything of it is at work."""
        self.left = self._on_their_way() if self.serve else set()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUIFANG_")}
        with self.log.open("ab") as log:
            self.serve = subprocess.Popen(
                [sys.executable, "-P", "-m", "config.cli", "serve", "--only", PARTS], cwd=ROOT, stdout=log, stderr=log,
                env={**inherited, **self.settings.as_environment(), "PYTHONPATH": str(ROOT)}, preexec_fn=partial(die_with, os.getpid()),
            )  # fmt: skip
        wait_until(self.is_open, LONGEST_SECONDS)

    def is_open(self) -> bool:
        assert self.serve is not None
        assert self.serve.poll() is None, self.text()[-3000:]
        workers = [name for name in self.family().values() if "worker:" in name]
        has_registered = self.house.redis.scard("rq:workers") if len(workers) == len(processes.workers(self.settings)) else 0
        return bool(has_registered) and ports.answers(self.settings.voice_host, self.settings.voice_port) and bool(self.named("clock"))

    def family(self) -> dict[int, str]:
        """Every process of the house by number."""
        return {pid: words for pid, words in family_of(self.settings.data).items() if pid != self.carrier.pid}

    def named(self, word: str) -> list[int]:
        return [pid for pid, words in self.family().items() if words.strip().endswith(f"config.processes {word}")]

    def text(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def launch(self, people: int, **pace: float) -> int:
        """A running campaign; its id."""
        self.people.clock.moment = self.now
        return self.people.launch(people, **pace)

    def change(self, campaign_id: int, **values: object) -> None:
        """Change a campaign's row."""
        with self.house.sessions() as session:
            session.execute(update(Campaign).where(Campaign.id == campaign_id).values(values))
            session.commit()

    def count(self, *statuses: str) -> int:
        """Attempts in these statuses."""
        with self.look() as session:
            return session.scalar(select(func.count()).select_from(CallAttempt).where(CallAttempt.status.in_(statuses))) or 0

    def go_on(self, length: timedelta) -> None:
        """Let virtual time pass once nothing is on its way to the carrier, and wait until the clock process has looked at it.

        What a worker has given up half way waits for virtual time itself: after a while it is waited for no longer.
        """
        self.settle_down()
        self.exchange.advance(self.now + length)
        self.await_look()

    def settle_down(self) -> None:
        """Wait until nothing is on its way to the carrier."""
        with suppress(AssertionError):
            wait_until(lambda: self._on_their_way() <= self.left, LEFT_SECONDS)

    def _on_their_way(self) -> set[int]:
        with self.look() as session:
            return set(session.scalars(select(CallAttempt.id).where(CallAttempt.status.in_(("claimed", "requested")))))

    def await_look(self) -> None:
        """Wait until a look of the clock process is over that began after this moment: each renews the lease once."""
        since = SystemClock().now()
        wait_until(lambda: self._last_look() >= since, LONGEST_SECONDS)

    def _last_look(self) -> datetime:
        with self.look() as session:
            expires_at = session.scalar(select(Lease.expires_at).where(Lease.name == "sweep"))
        return expires_at - LEASE if expires_at else datetime.min.replace(tzinfo=UTC)

    def until(self, condition: Callable[[], bool], step: timedelta = 2 * SECOND) -> None:
        """Go on, step by step, until something holds."""
        end = time.monotonic() + 2 * LONGEST_SECONDS
        while not condition():
            assert time.monotonic() < end, self.text()[-3000:]
            self.lift_holds()
            self.go_on(step)

    def count_waiting(self) -> int:
        """People of running campaigns who wait for a call."""
        with self.house.sessions() as session:
            waiting = select(func.count()).select_from(Respondent).join(Campaign)
            return session.scalar(waiting.where(Campaign.state == "running", Respondent.state == "waiting")) or 0

    def until_over(self) -> None:
        """Go on until all campaigns have ended and their recordings are here."""
        self.until(self._is_over_or_leaps, 20 * SECOND)

    def _is_over_or_leaps(self) -> bool:
        with self.house.sessions() as session:
            running = session.scalar(select(func.count()).select_from(Campaign).where(Campaign.state == "running"))
            due = queries.next_due(session)
            busy = session.scalar(select(func.count()).select_from(CallAttempt).where(CallAttempt.settled_at.is_(None)))
            later = session.scalar(select(func.count()).select_from(Recording).where(Recording.due_at.is_not(None)))
        if not busy and not later and due is not None and due > self.now:
            self.exchange.advance(due)
        return not running and not busy and not later

    def lift_holds(self) -> None:
        """Lift what only a person may lift, because the door was killed on purpose."""
        with self.house.unit_of_work() as work:
            for hold in holds.standing_holds(work.session):
                if HoldReason.from_word(hold.reason).needs_person:
                    holds.lift(work.session, self.house.office, hold.id, "test", "the door was killed on purpose", self.now)

    def calls(self) -> list[dict[str, Any]]:
        return self.exchange.journal()

    def live(self) -> list[dict[str, Any]]:
        """Calls that have not ended at the carrier."""
        return [call for call in self.calls() if call["ended_at"] is None]

    def stop(self) -> None:
        """End what is left of the house, the hard way."""
        if self.serve and self.serve.poll() is None:
            self.serve.kill()
            self.serve.wait()
        self.house.engine.dispose()


def settings_of(data: Path, carrier_port: int, database_url: str) -> Settings:
    """Settings of a house for 220 calls at a time, whose carrier is behind a port."""
    voice = free_port()
    given = {
        "environment": "test", "listening": "no", "data": str(data), "database_url": database_url, "voice_port": str(voice),
        "voice_threads": "24",
        "public_base_url": f"http://127.0.0.1:{voice}", "twilio_api_url": f"http://127.0.0.1:{carrier_port}", "workers": str(DIALLERS),
        "clock_file": str(data / "clock"), "calls_per_second": "300", "concurrent_calls": "220", "call_limit_seconds": "300",
        "drain_seconds": "300", "log_level": "warning",
    }  # fmt: skip
    return Settings.from_env({f"HUIFANG_{name.upper()}": value for name, value in given.items()}, None)


@contextmanager
def carrier_at(port: int, settings: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The simulated carrier as a process that knows nothing of the supervisor."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUIFANG_")}
    command = [sys.executable, "-P", "-m", "config.simulation", str(port), "1", START.isoformat()]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**inherited, **settings, "PYTHONPATH": str(ROOT)}, preexec_fn=partial(die_with, os.getpid())
    )
    try:
        wait_until(lambda: ports.answers("127.0.0.1", port), LONGEST_SECONDS)
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def scene_in(data: Path, database_url: str = "") -> Iterator[Scene]:
    """A scene with its house at work; nothing of it is left afterwards."""
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with road(("127.0.0.1", port)) as line:
        settings = settings_of(data, line.port, database_url)
        with carrier_at(port, settings.as_environment()) as carrier:
            scene = Scene(settings, RemoteExchange(f"http://127.0.0.1:{port}"), line, carrier)
            try:
                scene.start()
                yield scene
            finally:
                scene.stop()
