"""The clock process and the workers never wait for PostgreSQL without end: what was under way is given up and done again."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from config import processes
from config.wiring import JOB_SECONDS, House
from survey.store.database import GRACE_SECONDS
from survey.store.models import Lease
from tests.weather.conftest import Station
from tests.weather.proxy import FAIR, HALF_OPEN
from worker import runtime, worker

START_SECONDS = 60.0
BLOCKED = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


@contextmanager
def clock_process(station: Station) -> Iterator[subprocess.Popen[bytes]]:
    """The real clock process, whose road to the database is the station's."""
    child = processes.sweeper(station.house.settings)
    process = subprocess.Popen(child.command, env={**os.environ, **child.environment}, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def swept_until(station: Station) -> datetime:
    with station.ground.sessions() as session:
        return session.scalar(select(Lease.expires_at).where(Lease.name == "sweep")) or datetime(2000, 1, 1, tzinfo=UTC)


def until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:.0f} s"
        time.sleep(0.1)


@pytest.mark.slow
def test_the_clock_process_gives_up_what_was_swallowed_in_the_middle_of_a_sweep_and_sweeps_again(station: Station) -> None:
    station.database.set(FAIR)
    with clock_process(station) as process:
        began = swept_until(station)
        until(lambda: swept_until(station) > began, START_SECONDS)
        with station.ground.engine.connect() as holder:
            holder.execute(text("SELECT owner FROM leases WHERE name = 'sweep' FOR UPDATE"))
            with station.ground.engine.connect() as other:
                until(lambda: bool(other.scalar(BLOCKED)), START_SECONDS)
            station.database.forget()  # the answer to what waits now will never come
        before = swept_until(station)

        until(lambda: swept_until(station) > before, JOB_SECONDS + GRACE_SECONDS + START_SECONDS)

        assert process.poll() is None, "the same process"


@pytest.mark.slow
def test_the_clock_process_sweeps_again_when_a_half_open_road_is_free(station: Station) -> None:
    station.database.set(FAIR)
    with clock_process(station) as process:
        began = swept_until(station)
        until(lambda: swept_until(station) > began, START_SECONDS)
        station.database.set(HALF_OPEN)
        time.sleep(5.0)  # long enough for several connections to be given up
        before = swept_until(station)
        station.database.set(FAIR)

        until(lambda: swept_until(station) > before, START_SECONDS)

        assert process.poll() is None, "the same process"


class Enough(Exception):
    """The worker is about to begin."""


@pytest.mark.parametrize("queue", ["dial", "recordings"])
def test_a_worker_process_has_an_end_to_its_statements_and_a_command_has_none(
    station: Station, monkeypatch: pytest.MonkeyPatch, queue: str
) -> None:
    station.database.set(FAIR)

    def stop(*given: object, **named: object) -> None:
        raise Enough

    monkeypatch.setattr(processes, "open_house", lambda: House(station.house.settings))
    monkeypatch.setattr(worker, "open_worker", stop)
    installed: list[runtime.Runtime] = []
    monkeypatch.setattr(runtime, "install", installed.append)
    with pytest.raises(Enough):
        processes.main(f"worker:{queue}")

    def limit(unit_of_work: Callable[[], object]) -> object:
        with unit_of_work() as work:  # type: ignore[attr-defined]
            return work.session.scalar(text("SHOW statement_timeout"))

    assert limit(installed[0].unit_of_work) == "20s"
    assert limit(House(station.house.settings).unit_of_work) == "0"
