"""A clock process for a test, that hardly rests: `python -m tests.config.sweeping <database URL> <lease seconds>`."""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from config import sweep
from config.no_carrier import NoCarrier
from survey import fieldwork
from survey.bureau import Bureau
from survey.phone import NumberPolicy
from survey.store.database import open_engine, session_factory
from survey.store.sealing import KeyRing
from survey.store.unit_of_work import UnitOfWork
from tests.conftest import RING, StandingClock
from tests.survey.fieldwork.conftest import WakeList
from worker.runtime import Runtime

REST_SECONDS = 0.02
"""SQLite lets a writer in at random: without a rest, one of three waits for longer than it may."""

MORNING = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def office() -> fieldwork.Office:
    bureau = Bureau("某市公安局", "City Police Bureau", "12389", 3, "Asia/Shanghai")
    numbers = NumberPolicy(regions=("CN",), own_numbers=(), fictitious=True)
    return fieldwork.Office(KeyRing.parse(RING), b"audit key of the tests, 32 bytes", bureau, numbers)


def sweeper(url: str, lease_seconds: float) -> sweep.Sweeper:
    """The real one on a house that has nothing but a database."""
    sessions = session_factory(open_engine(url))

    def unit_of_work() -> UnitOfWork:
        return UnitOfWork(sessions, WakeList())

    runtime = Runtime(unit_of_work, office(), StandingClock(MORNING), NoCarrier(), Path("/tmp"), "http://127.0.0.1:9")
    house = SimpleNamespace(runtime=lambda: runtime, unit_of_work=unit_of_work, settings=SimpleNamespace(environment="test"))
    found = sweep.Sweeper(house)  # type: ignore[arg-type]
    sweep.LEASE = timedelta(seconds=lease_seconds)
    return found


if __name__ == "__main__":
    restless = sweeper(sys.argv[1], float(sys.argv[2]))
    print("up", flush=True)
    while True:
        restless._beat()
        time.sleep(REST_SECONDS)
