"""RS58: keys are rotated by the real command while a campaign dials and people read; it is killed in the middle, and taken up.

`ROTATION_ROWS=100000 ROTATION_KILLS=5` makes it as large as a bureau's year.
"""

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from config.settings import ROOT, Settings
from config.wiring import House
from survey.store import audit, rotation
from survey.store.database import reading, session_factory
from survey.store.models import Incident
from survey.store.sealing import KeyRing, key_of, place
from tests.conftest import RING
from tests.survey.fieldwork.conftest import Ground, ground

__all__ = ["ground"]
NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
INDEX, OLD = RING.split(",")
BOTH = f"{INDEX},k2:bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0=,{OLD}"
ROWS, KILLS = int(os.environ.get("ROTATION_ROWS", "2000")), int(os.environ.get("ROTATION_KILLS", "1"))
SEALED = ("phone", "reporter", "officer", "place")
LONGEST_SECONDS = 300.0
HANG = """CREATE TRIGGER parked BEFORE UPDATE ON incidents WHEN OLD.id = {row} BEGIN SELECT (SELECT count(*) FROM
  (WITH RECURSIVE steps(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM steps WHERE n < 4000000000) SELECT n FROM steps)); END"""
"""SQLite has no locks on rows: this one cannot be written before its writer is killed."""


def public_id(n: int) -> str:
    return f"{(1 << 64) + n:032x}"


def said(name: str, n: int) -> str:
    """What row n holds in the column of that name, however often it is written anew."""
    return f"+86100{n:08}" if name == "phone" else f"{name} {n}"


def sealed(ring: KeyRing, n: int) -> dict[str, bytes | None]:
    return {f"{name}_sealed": ring.seal(said(name, n), place("incidents", f"{name}_sealed", public_id(n))) for name in SEALED}


@pytest.fixture
def numbers(sessions: sessionmaker[Session], keys: KeyRing) -> list[int]:
    """Incidents with four values each under the old key; their numbers in the table, in order."""
    plain = {"category": "x", "zone": "Asia/Shanghai", "row_digest": "", "occurred_at": NOW, "closed_at": NOW}
    with sessions.begin() as session:
        for first in range(0, ROWS, 1000):
            rows = [
                {"number": f"R{n}", "public_id": public_id(n), **plain, **sealed(keys, n)} for n in range(first, min(first + 1000, ROWS))
            ]
            session.execute(insert(Incident), rows)
    with sessions() as session:
        return list(session.scalars(select(Incident.id).order_by(Incident.id)))


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """What the command is told: both keys, the new one first."""
    own = {"HUIFANG_DATABASE_URL": database_url, "HUIFANG_DATA": str(tmp_path), "HUIFANG_ENVIRONMENT": "test", "HUIFANG_PII_KEYS": BOTH}
    return {**{name: value for name, value in os.environ.items() if not name.startswith("HUIFANG_")}, **own}


@dataclass
class Busy:
    """Work that goes on in threads for the length of a block; `done` counts it, `problems` are the errors of all."""

    done: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @contextmanager
    def doing(self, *work: Callable[[], None]) -> Iterator[None]:
        over = threading.Event()
        threads = [threading.Thread(target=self._repeat, args=(each, over)) for each in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _repeat(self, work: Callable[[], None], over: threading.Event) -> None:
        while not over.wait(0.01):
            try:
                work()
            except Exception as problem:
                self.problems.append(f"{work.__name__}: {problem!r}")
            self.done[work.__name__] = self.done.get(work.__name__, 0) + 1


@contextmanager
def parked(engine: Engine, row: int) -> Iterator[None]:
    """A row that nobody can write for the length of the block."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            connection.execute(text("SELECT id FROM incidents WHERE id = :row FOR UPDATE"), {"row": row})
            yield
        return
    with closing(sqlite3.connect(engine.url.database or "", timeout=LONGEST_SECONDS, isolation_level=None)) as own:
        own.execute(HANG.format(row=row))
        yield
        own.execute("DROP TRIGGER parked")


def key_of_row(sessions: sessionmaker[Session], row: int) -> str:
    """Read beside whoever writes: on SQLite the command hangs with the one right to write."""
    with session_factory(reading(sessions.kw["bind"]))() as session:
        return key_of(session.scalars(select(Incident.phone_sealed).where(Incident.id == row)).one() or b"")


def kill_in_the_middle(environment: dict[str, str], sessions: sessionmaker[Session], numbers: list[int], at: int) -> float:
    """Start to rotate, and kill it where it writes the row at this place, of a batch after others; seconds that it had."""
    with parked(sessions.kw["bind"], numbers[at]):
        began = time.monotonic()
        command = subprocess.Popen(
            [sys.executable, "-m", "config.cli", "keys", "rotate"], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL
        )
        try:
            while key_of_row(sessions, numbers[at - rotation.BATCH]) == "k1":
                assert command.poll() is None, "it ended before it came to the row"
                assert time.monotonic() < began + LONGEST_SECONDS
                time.sleep(0.005)
        finally:
            command.kill()
            command.wait()
        assert key_of_row(sessions, numbers[at]) == "k1"
        return time.monotonic() - began


def test_rotation_killed_in_the_middle_of_a_campaign_is_taken_up_and_nobody_misses_a_value(
    ground: Ground, numbers: list[int], environment: dict[str, str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    sessions, ring, chance = ground.sessions, KeyRing.parse(BOTH), random.Random(58)
    stops = [(number + 1) * ROWS // (KILLS + 1) for number in range(KILLS)]
    house = House(Settings.from_env({name: value for name, value in environment.items() if name.startswith("HUIFANG_")}, None))
    ground.office = replace(ground.office, audit_key=house.audit_key)
    ground.launch(200)
    ground.office = replace(ground.office, keys=ring)
    free = sorted(set(range(ROWS)) - set(stops))

    def dialling() -> None:
        for attempt_id in ground.claim()[:1]:
            ground.place_call(attempt_id)
            ground.talk(ground.attempt(attempt_id).token, "1")
            ground.end(ground.attempt(attempt_id).token)
        ground.clock.advance(seconds=5)

    def reading() -> None:
        with sessions() as session:
            for found in session.scalars(select(Incident).where(Incident.id.in_([numbers[n] for n in chance.sample(range(ROWS), 20)]))):
                n = int(found.public_id, 16) - (1 << 64)
                for name in SEALED:
                    where = place("incidents", f"{name}_sealed", found.public_id)
                    assert ring.open(getattr(found, f"{name}_sealed"), where) == said(name, n)

    def writing() -> None:
        n = chance.choice(free)
        with sessions.begin() as session:
            session.execute(update(Incident).where(Incident.id == numbers[n]).values(**sealed(ring, n)))

    busy, seconds = Busy(), 0.0
    with busy.doing(dialling, reading, writing):
        for at in stops:
            seconds += kill_in_the_middle(environment, sessions, numbers, at)
            count = rotation.counted(sessions, tmp_path)
            assert count["k1"] > 0 < count["k2"]
        began = time.monotonic()
        last = subprocess.run(
            [sys.executable, "-m", "config.cli", "keys", "rotate"], env=environment, cwd=ROOT, capture_output=True, text=True
        )
        seconds += time.monotonic() - began

    record_property("told", f"{ROWS} rows × {len(SEALED)} values rotated on {sessions.kw['bind'].dialect.name} through {KILLS} kill -9: "
                    f"{seconds:.1f} s with all starts, {ROWS / seconds:.0f} rows/s; meanwhile {busy.done}")  # fmt: skip
    assert busy.problems == []
    assert set(busy.done) == {"dialling", "reading", "writing"}
    assert (last.returncode, last.stderr) == (0, "")
    assert "k1: 0" in last.stdout
    assert set(rotation.counted(sessions, tmp_path)) == {"k2"}
    with sessions() as session:
        assert list(audit.verify(session, house.audit_key)) == []
