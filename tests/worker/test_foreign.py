"""A job that somebody else has put into our queue is refused, and a person is told (RS41)."""

import signal
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select

from config import valkey
from config.no_carrier import NoCarrier
from ivr import measures
from survey.store.models import Alarm
from tests import embedded
from tests.survey.fieldwork.conftest import Ground, ground
from tests.worker.test_worker import HARMLESS, PLANTED, plant
from worker import foreign, runtime
from worker.runtime import Runtime
from worker.worker import open_worker

__all__ = ["ground"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("foreign")
    with embedded.running(folder):
        yield folder


@pytest.fixture
def redis(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """An empty queue; signals and the last alarm are as they were afterwards."""
    monkeypatch.setattr(foreign._Last, "at", -foreign.PAUSE_SECONDS)
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    redis = valkey.client("", folder)
    redis.flushdb()
    yield redis
    for sign, handler in before.items():
        signal.signal(sign, handler)


@pytest.fixture
def installed(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    found = Runtime(ground.work, ground.office, ground.clock, NoCarrier(), tmp_path, "http://127.0.0.1:8801")
    monkeypatch.setattr(runtime._Holder, "runtime", found)
    return found


def work(folder: Path) -> None:
    """Do what waits in the queue, in this process."""
    open_worker("settle", valkey.client("", folder, blocking=True), folder, lambda: None).work(burst=True, logging_level="CRITICAL")


def standing(ground: Ground) -> list[tuple[str, str, int]]:
    with ground.sessions() as session:
        return [(row.kind, row.subject, row.count) for row in session.scalars(select(Alarm))]


def refused() -> float:
    return measures.REGISTRY.get_sample_value("huifang_jobs_total", {"job": "foreign", "result": "refused"}) or 0.0


@pytest.mark.parametrize("kind", sorted(PLANTED.keys() - {"ten megabytes"}))
def test_a_planted_job_raises_the_alarm(redis: Redis, folder: Path, ground: Ground, installed: Runtime, tmp_path: Path, kind: str) -> None:
    before = refused()
    plant(redis, "settle", "planted", zlib.compress(PLANTED[kind].replace(b"%s", str(tmp_path / "harm").encode())))

    work(folder)

    assert standing(ground) == [("foreign_job", "queue", 1)]
    assert refused() == before + 1
    assert not (tmp_path / "harm").exists()


def test_many_planted_jobs_write_one_row_once(redis: Redis, folder: Path, ground: Ground, installed: Runtime) -> None:
    for number in range(20):
        plant(redis, "settle", f"planted-{number}", zlib.compress(PLANTED["unknown function"]))

    work(folder)

    assert standing(ground) == [("foreign_job", "queue", 1)]


def test_a_database_that_is_gone_lets_nothing_in(redis: Redis, folder: Path, installed: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise ConnectionError("no database")

    monkeypatch.setattr(runtime._Holder, "runtime", replace(installed, unit_of_work=gone))
    plant(redis, "settle", "planted", zlib.compress(PLANTED["unknown function"]))
    before = refused()

    work(folder)

    assert refused() == before + 1


def test_our_own_job_is_timed_and_counted_by_its_name_and_its_end(redis: Redis, folder: Path, ground: Ground, installed: Runtime) -> None:
    def ended(job: str, result: str) -> float:
        return measures.REGISTRY.get_sample_value("huifang_jobs_total", {"job": job, "result": result}) or 0.0

    before = ended("settle", "done"), ended("look_up", "failed")
    ground.launch(1)
    _, token = ground.dial_next()
    ground.status(token, "busy")
    plant(redis, "settle", "ours", zlib.compress(HARMLESS.encode()))
    plant(redis, "settle", "nobody", zlib.compress(HARMLESS.replace("settle", "look_up").replace("[1, 0]", "[99, 0]").encode()))

    work(folder)

    assert (ended("settle", "done"), ended("look_up", "failed")) == (before[0] + 1, before[1] + 1)
    assert standing(ground) == []
