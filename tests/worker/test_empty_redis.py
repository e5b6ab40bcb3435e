"""Redis is emptied at any moment: everything that is due is asked for again by the next sweep, far within ten seconds (RS36, P7)."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import SharedClock
from config.no_carrier import NoCarrier
from config.sweep import PERIOD_SECONDS
from survey.store.database import reading, session_factory
from survey.store.models import Lease
from tests import embedded
from tests.conftest import RING
from tests.survey.fieldwork.conftest import CALLER_ID, Ground, WakeList, ground
from tests.worker.probed import ROOT, until
from tests.worker.test_open_transactions import announced, claimed, doubtful, ended, paused, placed
from worker import jobs
from worker.parents import die_with
from worker.runtime import Runtime

__all__ = ["ground"]

SWEPT = {"dial", "call_off", "reconcile", "look_up", "settle", "fetch_recording"}
MOST_SWEEPS = 3
"""The one that was under way when Redis was emptied, the next one, and a third, whose commit shows that the second has asked for all."""

PROMISED_SECONDS = 10.0
"""More than so many sweeps take that come when they shall; how long they took here is told."""

PATIENCE_SECONDS = 60.0
FLUSHES = 4
Told = Callable[[str, object], None]


def campaign_in_full_swing(ground: Ground, folder: Path) -> None:
    """Attempts and recordings in every state that a job may be due for."""
    for arrange in (paused, doubtful, placed, announced, ended):  # nothing is heard of them afterwards
        arrange(ground, folder)
    ground.clock.advance(minutes=30)
    claimed(ground, folder)


def due(ground: Ground, folder: Path) -> set[str]:
    """The ids of the jobs for all that is due now, as the sweep says that is asked in place."""
    asked = WakeList()
    line: Any = NoCarrier()
    before, ground.queue = ground.queue, asked
    jobs.sweep(Runtime(ground.work, ground.office, ground.clock, line, folder, "http://127.0.0.1:1"))
    ground.queue = before
    return {f"{job}-{row_id}-{epoch}" for job, row_id, epoch in asked.asked}


@contextmanager
def clock_process(ground: Ground, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real one, on the test's database and Redis, under a survey's clock that stands."""
    SharedClock.create(folder / "clock", ground.now)
    given = {
        "ENVIRONMENT": "test", "DATA": str(folder), "CLOCK_FILE": str(folder / "clock"), "PII_KEYS": RING, "CALLER_ID": CALLER_ID,
        "DATABASE_URL": ground.engine.url.render_as_string(hide_password=False),
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "config.processes", "clock"], cwd=ROOT, preexec_fn=partial(die_with, os.getpid()),
        env={**os.environ, **{f"HUIFANG_{name}": value for name, value in given.items()}},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


class Sweeps:
    """Counts the sweeps of whoever holds the lease: each one renews it once."""

    def __init__(self, session: Session) -> None:
        self._session, self._seen = session, set[datetime]()

    def look(self) -> int:
        """Look at the lease; the number of different ones seen so far, without the first."""
        self._session.rollback()
        self._seen.add(self._session.scalars(select(Lease.expires_at).where(Lease.name == "sweep")).one())
        return len(self._seen) - 1


def missing(redis: Redis, wanted: set[str]) -> set[str]:
    """Those of the jobs that nobody can take from Redis."""
    return {job_id for job_id in wanted if not redis.exists(f"rq:job:{job_id}")}


def test_everything_due_is_asked_for_again_by_the_next_sweep(ground: Ground, tmp_path: Path, record_property: Told) -> None:
    campaign_in_full_swing(ground, tmp_path)
    wanted, chance, seconds, sweeps = due(ground, tmp_path), Random(36), [], []
    assert {job_id.partition("-")[0] for job_id in wanted} == SWEPT
    look = session_factory(reading(ground.engine))
    with embedded.running(tmp_path) as redis, clock_process(ground, tmp_path) as process, look() as session:
        until(lambda: not missing(redis, wanted), process, PATIENCE_SECONDS)
        for _ in range(FLUSHES):
            time.sleep(chance.uniform(0, PERIOD_SECONDS))
            counted = Sweeps(session)
            counted.look()
            redis.flushall()
            began = time.monotonic()
            until(lambda counted=counted: counted.look() >= MOST_SWEEPS or not missing(redis, wanted), process, PATIENCE_SECONDS)
            seconds.append(time.monotonic() - began)
            sweeps.append(counted.look())
            assert missing(redis, wanted) == set(), f"after {sweeps[-1]} sweeps"

    assert MOST_SWEEPS * PERIOD_SECONDS < PROMISED_SECONDS
    record_property("told", f"Redis emptied {FLUSHES} times: {len(wanted)} jobs back after {max(seconds):.1f} s at most, sweeps {sweeps}")
