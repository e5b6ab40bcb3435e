"""A dial job that comes early: it waits for its place itself, holds nothing meanwhile, and looks at everything again."""

import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from config.clock import SharedClock, SystemClock
from ivr.carrier.base import Accepted, CallRequest
from survey import fieldwork
from survey.bureau import Bureau
from survey.fieldwork import Office
from survey.phone import NumberPolicy
from survey.store.models import CallAttempt, Campaign
from survey.store.sealing import KeyRing
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import CALLER_ID, Ground
from worker import jobs, runtime
from worker.runtime import Runtime


@dataclass
class Exchange:
    """A carrier that takes every call and remembers when it was asked."""

    now: Callable[[], datetime]
    asked: list[datetime] = field(default_factory=list)

    def place_call(self, request: CallRequest) -> Accepted:
        self.asked.append(self.now())
        return Accepted(f"CA{request.answer_url.split('/')[-3]}")


@dataclass
class Worker:
    """A worker whose time passes only while it waits."""

    ground: Ground
    exchange: Exchange
    waits: list[float] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def wait(self, seconds: float) -> None:
        """Waits for a place; the moment between a decision and the request is none of them."""
        self.ground.clock.advance(seconds=seconds)
        if timedelta(seconds=seconds) != jobs.LEAD:
            self.waits.append(round(seconds, 3))
            self.meanwhile()


@pytest.fixture
def ground(engine: Engine, keys: KeyRing, audit_key: bytes, clock: StandingClock) -> Ground:
    bureau = Bureau("某市公安局", "City Police Bureau", "12389", 3, "Asia/Shanghai")
    return Ground(engine, Office(keys, audit_key, bureau, NumberPolicy(("CN",), (CALLER_ID, "12389"), fictitious=True)), clock)


@pytest.fixture
def worker(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    exchange = Exchange(ground.clock.now)
    found, before = Worker(ground, exchange), runtime._Holder.runtime
    monkeypatch.setattr(jobs, "time", types.SimpleNamespace(monotonic=lambda: ground.now.timestamp(), sleep=found.wait))
    line: object = exchange
    runtime.install(Runtime(ground.work, ground.office, ground.clock, line, tmp_path, "http://127.0.0.1:1", time_passes=lambda: True))  # type: ignore[arg-type]
    yield found
    runtime._Holder.runtime = before


def test_jobs_that_come_early_go_out_one_after_the_other_at_their_places(ground: Ground, worker: Worker) -> None:
    ground.launch(6, lines=6, calls_per_second=2)
    began = ground.now
    for _ in range(3):
        for attempt_id in ground.claim(ahead=1):
            jobs.dial(attempt_id)

    lead = jobs.LEAD.total_seconds()
    waited = [(moment - began).total_seconds() for moment in worker.exchange.asked]
    assert waited == [lead, 2 * lead, 1 + lead, 1 + 2 * lead, 2 + lead, 2 + 2 * lead]
    with ground.sessions() as session:
        assert worker.exchange.asked == session.scalars(select(CallAttempt.requested_at).order_by(CallAttempt.id)).all()


def test_no_transaction_is_open_while_a_job_waits(ground: Ground, worker: Worker) -> None:
    ground.launch(2, lines=2, calls_per_second=1)
    jobs.dial(*ground.claim())
    [attempt_id] = ground.claim(ahead=1)
    held: list[int] = []
    worker.meanwhile = lambda: held.append(ground.engine.pool.checkedout())  # type: ignore[attr-defined]

    jobs.dial(attempt_id)

    assert held == [0]
    assert len(worker.exchange.asked) == 2


def test_a_campaign_that_is_paused_while_a_job_waits_is_not_dialled(ground: Ground, worker: Worker) -> None:
    campaign_id = ground.launch(2, lines=2, calls_per_second=1)
    jobs.dial(*ground.claim())
    [attempt_id] = ground.claim(ahead=1)

    def pause() -> None:
        with ground.work() as work:
            fieldwork.pause(work.session, ground.office, work.session.get_one(Campaign, campaign_id), "张三", ground.now)

    worker.meanwhile = pause
    jobs.dial(attempt_id)

    assert (worker.waits, len(worker.exchange.asked)) == ([0.95], 1)


def test_a_place_that_opens_later_than_in_a_second_is_left_to_the_sweep(ground: Ground, worker: Worker) -> None:
    ground.launch(2, lines=2, calls_per_second=0.25)
    jobs.dial(*ground.claim())
    ground.clock.advance(seconds=3)
    [attempt_id] = ground.claim(ahead=1)
    ground.clock.advance(seconds=-1)

    jobs.dial(attempt_id)
    assert (worker.waits, ground.attempt(attempt_id).status) == ([], "claimed")

    ground.clock.advance(seconds=1.5)
    jobs.dial(attempt_id)
    assert (worker.waits, ground.attempt(attempt_id).status) == ([0.45], "placed")


def test_nobody_waits_for_a_clock_that_stands(ground: Ground, worker: Worker) -> None:
    ground.launch(2, lines=2, calls_per_second=1)
    runtime.install(replace(runtime.current(), time_passes=runtime.stands_still))
    jobs.dial(*ground.claim())
    [attempt_id] = ground.claim(ahead=1)

    jobs.dial(attempt_id)

    assert (worker.waits, ground.attempt(attempt_id).status) == ([], "claimed")


def test_the_machines_clock_passes_and_the_shared_one_when_it_runs(tmp_path: Path) -> None:
    shared = SharedClock.create(tmp_path / "clock", StandingClock().now())
    standing = shared.passes()
    shared.run(StandingClock().now())

    assert (SystemClock().passes(), standing, shared.passes()) == (True, False, True)


def test_three_workers_on_the_machines_clock_keep_the_pace_together_and_lose_nobody(ground: Ground, tmp_path: Path) -> None:
    """RS18 with real waiting: 60 calls at 20 a second."""
    launched = ground.launch(60, lines=60, calls_per_second=20)
    opening, system = ground.now, SystemClock()
    began = system.now()

    class Passing:
        def now(self) -> datetime:
            return opening + (system.now() - began)

    line: object = Exchange(system.now)
    before = runtime._Holder.runtime
    house = Runtime(ground.work, ground.office, Passing(), line, tmp_path, "http://127.0.0.1:1", time_passes=lambda: True)  # type: ignore[arg-type]
    runtime.install(house)
    deadline = system.now() + timedelta(seconds=90)
    with ThreadPoolExecutor(3) as pool:
        while system.now() < deadline and (due := _claim(house)):
            list(pool.map(jobs.dial, due))
    runtime._Holder.runtime = before

    with ground.sessions() as session:
        moments = session.scalars(select(CallAttempt.requested_at).where(CallAttempt.campaign_id == launched)).all()
    started = sorted(moment for moment in moments if moment)
    assert len(started) == 60
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in zip(started, started[20:], strict=False))


def _claim(house: Runtime) -> list[int]:
    with house.unit_of_work() as work:
        fieldwork.claim_due(work, house.office, house.clock.now(), timedelta(seconds=1))
        return list(work.session.scalars(select(CallAttempt.id).where(CallAttempt.status == "claimed").order_by(CallAttempt.id)))
