"""A whole survey office in one process, on a real database, with an exchange beside it and fate above: what the runs are made of."""

import types
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from ivr.carrier.simulator.clock import ExchangeClock, moment
from ivr.carrier.simulator.delivery import Courier
from ivr.carrier.simulator.exchange import Account, Exchange, Terms
from ivr.carrier.simulator.faults import FaultPlan
from ivr.carrier.simulator.incoming import Number
from ivr.voice.app import create_voice_app
from ivr.voice.guard import Guard
from ivr.voice.routes import VoiceServices
from ivr.voice.wording import VOICES
from survey import fieldwork
from survey.bureau import Bureau
from survey.contact_rules import Rules
from survey.phone import NumberPolicy
from survey.store.models import CallAttempt, Campaign, Draw, DrawnIncident, Recording, ScriptVersion
from survey.store.queries import fieldwork as queries
from survey.store.sealing import KeyRing
from survey.store.unit_of_work import UnitOfWork
from tests.conftest import RING
from tests.simulation.ground import SCRIPTS, START, Ground
from tests.simulation.hub import Broken, Died, Fates, Hub, Worker
from tests.simulation.line import Door, Line, Weather
from worker import jobs, runtime
from worker.queues import QUEUES
from worker.runtime import Runtime

BASE_URL, ACCOUNT, TOKEN = "https://voice.example", "AC" + "5" * 32, "token of the simulated account"
CALLER_ID = "+861000000000"
AUDIT_KEY = b"audit key of the simulated office"
WEBHOOK_THREADS = 1


class Inline:
    """A pool without threads: what is mapped is done here and now, in order."""

    def map(self, action: Callable[..., object], items: Iterable[Any]) -> list[object]:
        return [action(item) for item in items]

    def shutdown(self, **options: object) -> None:
        """Nothing runs that could be waited for."""


@dataclass
class OfficeClock:
    """The office's wall clocks: the carrier's, and as wrong as somebody has set them; some machines differ from the others."""

    exchange: ExchangeClock
    error: timedelta = timedelta(0)
    apart: Mapping[str, timedelta] = field(default_factory=dict)  # machine -> how far it is ahead of the others
    machine: Callable[[], str] = lambda: ""

    def now(self) -> datetime:
        return moment(self.exchange.now()) + self.error + self.apart.get(self.machine(), timedelta(0))


@dataclass
class Jobs:
    """The queue: jobs are lost, doubled, and taken in any order. `survey.ports.JobQueue`."""

    hub: Hub
    lost: float = 0.0
    doubled: float = 0.0
    waiting: list[tuple[str, int, int]] = field(default_factory=list)

    def enqueue(self, job: str, row_id: int, epoch: int = 0) -> None:
        try:
            self.hub.at("enqueue")
        except Broken:
            return  # the queue is down: the real one logs it, and the sweep repairs it
        assert job in QUEUES
        chance = self.hub.chance.random()
        entry = (job, row_id, epoch)
        if chance >= self.lost and (entry not in self.waiting or chance < self.lost + self.doubled):
            self.waiting += [entry, entry] if chance < self.lost + self.doubled else [entry]

    def take(self) -> tuple[str, int, int]:
        return self.waiting.pop(self.hub.chance.randrange(len(self.waiting)))


class Fated(Session):
    """A session whose beginning and commit are effects."""

    hub: Hub
    door: Door | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.hub.at("begin")

    def commit(self) -> None:
        self._try("commit")
        super().commit()
        self._try("committed")

    def _try(self, kind: str) -> None:
        try:
            self.hub.at(kind)
        except Broken:
            if self.door is not None and self.hub.within_door:
                self.door.broken += 1
            raise OperationalError("COMMIT", None, Exception("server closed the connection")) from None


@dataclass
class World:
    """The office, its line and its time, which begins at `start`. `folder` takes the recordings.

    `clocks` says by how much the clocks of single machines (`worker 1`, `door`) differ; `told_of_ends`, whether the carrier
    reports the end of calls to us.
    """

    ground: Ground
    folder: Path
    seed: int
    fates: Fates = field(default_factory=Fates)
    weather: Weather = field(default_factory=Weather)
    hooks: FaultPlan = field(default_factory=FaultPlan)
    workers: int = 3
    start: datetime = START
    clocks: Mapping[str, timedelta] = field(default_factory=dict)
    told_of_ends: bool = True

    def __post_init__(self) -> None:
        self.ground.renew()
        self.chance = Random(self.seed)
        self.exchange_clock = ExchangeClock(self.start, lambda: 0.0)
        self.hub = Hub(self.chance, self.exchange_clock.now, seed=self.seed)
        self.hub.workers = [Worker(f"worker {number}") for number in range(1, self.workers + 1)]
        terms = Terms(calls_per_second=50.0, threads=WEBHOOK_THREADS, quantum_seconds=0.0)
        self.exchange = Exchange(Account(ACCOUNT, TOKEN), self.exchange_clock, environment="test", seed=self.seed, terms=terms)
        self.exchange.schedule.close()
        self.exchange.schedule._pool = Inline()  # type: ignore[assignment]
        self.exchange.inflict(self.hooks)
        self.line = Line(self.exchange, self.hub, self.weather)
        self.door = Door(self.hub, BASE_URL, TOKEN, lambda: self._app, self.open)
        self.exchange.courier = Courier(self.door, self.exchange.schedule, self.seed, lambda: self.hooks)  # type: ignore[arg-type]
        self.exchange.number = Number(f"{BASE_URL}/voice/incoming", f"{BASE_URL}/voice/incoming/status" if self.told_of_ends else None)
        self.clock = OfficeClock(self.exchange_clock, apart=self.clocks, machine=self.hub.machine)
        self.queue = Jobs(self.hub)
        kind = type("FatedSession", (Fated,), {"hub": self.hub, "door": self.door})
        self.sessions = sessionmaker(self.ground.engine, class_=kind, expire_on_commit=False)
        self.quiet = sessionmaker(self.ground.engine, expire_on_commit=False)
        self.open()

    def open(self) -> None:
        """Make everything anew that a process keeps in its memory: the office, the door, the surroundings of the jobs."""
        bureau = Bureau("某市公安局", "City Police Bureau", "12389", 3, "Asia/Shanghai")
        numbers = NumberPolicy(regions=("CN",), own_numbers=(), fictitious=True)
        self.office = fieldwork.Office(KeyRing.parse(RING), AUDIT_KEY, bureau, numbers, _scripts=self.ground.parsed)
        guard = Guard(BASE_URL, ACCOUNT, (TOKEN,))
        self._app = create_voice_app(VoiceServices(self.work, self.clock, self.office, guard, VOICES)).wsgi_app
        self.runtime = Runtime(self.work, self.office, self.clock, self.line, self.folder, BASE_URL)
        runtime.install(self.runtime)

    def work(self) -> UnitOfWork:
        """A unit of work at which fate may strike."""
        return UnitOfWork(self.sessions, self.queue)

    def calmly(self) -> UnitOfWork:
        """A unit of work of the people who run the office: nothing strikes there."""
        return UnitOfWork(self.quiet, self.queue)

    def crash(self) -> None:
        """Kill every process of the office at once and start it again on the same database."""
        self.hub.note("the office dies and is started again")
        for worker in self.hub.workers:
            self.hub.kill(worker)
        self.ground.engine.dispose()
        self.open()

    def launch(self, incidents: Sequence[int], *, script: str = "short", rules: Rules | None = None, **terms: Any) -> int:
        """A running campaign over these incidents; its id."""
        settings: dict[str, Any] = {"lines": 3, "calls_per_second": 1.0, "name": "三月回访", "caller_id": CALLER_ID, **terms}
        with self.calmly() as work:
            draw = Draw(
                month=f"{self.start:%Y-%m}", size=len(incidents), minimum=1, seed=1, replicates=1, frame_count=len(incidents),
                frame_digest="0" * 64,
                program_version="test", allocation=[], exclusions={}, incident_count=len(incidents), drawn_at=self.start,
            )  # fmt: skip
            work.session.add(draw)
            work.session.flush()
            for position, incident in enumerate(incidents):
                work.session.add(DrawnIncident(draw_id=draw.id, position=position, replicate=1, incident_id=incident, weight=1.0))
            work.session.flush()
            version = work.session.get_one(ScriptVersion, 1 + list(SCRIPTS).index(script))
            chosen = rules or Rules(start_delay_minutes=0)
            campaign = fieldwork.launch(
                work.session, self.office, draw, version, chosen, self.clock.now(), simulated=True, by="tester", **settings
            )
            fieldwork.start(work.session, self.office, campaign, "tester", self.clock.now())
        return campaign.id

    def advance(self, seconds: float) -> None:
        """Let the carrier's time pass."""
        self.exchange.schedule.run_until(self.exchange_clock.now() + seconds)

    def wait_for_work(self, until: float) -> None:
        """Let the carrier's time pass until a job is asked for, at the latest until that moment."""
        while not (self.queue.waiting and self.hub.idle()):
            event = self.exchange.schedule.next_at()
            if event is None or event >= until:
                self.exchange.schedule.run_until(until)
                return
            self.exchange.schedule.run_until(event)

    def sweep(self) -> None:
        """One beat of the clock process; it may die of it, and is started again."""
        try:
            jobs.sweep(self.runtime)
        except (Died, OperationalError) as problem:
            self.hub.note(f"the sweep ended with {type(problem).__name__}")

    def begin_job(self, worker: Worker) -> None:
        """Let a worker take one job out of the queue."""
        name, row_id, epoch = self.queue.take()
        self.hub.start(worker, f"{name} {row_id}", partial(getattr(jobs, name), row_id, epoch))

    def resume(self, worker: Worker) -> None:
        """Let a worker go on to its next effect or its end; a job that failed or died is over."""
        problem = self.hub.resume(worker)
        if problem is None:
            return
        self.hub.note(f"{worker.what} ended with {type(problem).__name__}: {problem}")
        if not isinstance(problem, Died | OperationalError | OSError):
            raise problem

    def open_ends(self) -> tuple[int, int, int]:
        """Campaigns that run, attempts without a verdict, recordings to be seen to."""
        with self.quiet() as session:
            running = select(func.count()).select_from(Campaign).where(Campaign.state.in_(("running", "paused")))
            unsettled = select(func.count()).select_from(CallAttempt).where(CallAttempt.settled_at.is_(None))
            recordings = select(func.count()).select_from(Recording).where(Recording.due_at.is_not(None))
            return tuple(session.scalar(each) or 0 for each in (running, unsettled, recordings))  # type: ignore[return-value]

    def next_due(self) -> datetime | None:
        """When the next respondent is to be called."""
        with self.quiet() as session:
            return queries.next_due(session)

    def forget(self) -> list[dict[str, Any]]:
        """Take what is over out of the carrier's memory, which is no part of the office's; gives its record of it."""
        over = {call.sid for call in self.exchange.calls.values() if call.ended and call.story is None}
        record = [call for call in self.journal() if call["sid"] in over]
        for sid in over:
            call = self.exchange.calls[sid]
            for recording in call.recordings:
                self.exchange.recordings.pop(recording.sid, None)
            self.exchange.forget(call)
        self.door.acknowledged = {each for each in self.door.acknowledged if each[0] not in over}
        self.door.rang -= over
        self.hub.trace.clear()
        return record

    def journal(self) -> list[dict[str, Any]]:
        """The carrier's record; each call says whether a report that it rang has reached us, each press whether a reply of ours
        answered it.

        Who is led back after a failure presses at the same address again: the reply is to the last of these presses.
        """
        calls = self.exchange.journal()
        for call in calls:
            call["told_of_ringing"] = call["sid"] in self.door.rang
            last = {press["url"]: number for number, press in enumerate(call["presses"])}
            for number, press in enumerate(call["presses"]):
                answered = (call["sid"], press["url"]) in self.door.acknowledged
                press["acknowledged"] = answered and number == last[press["url"]]
        return calls


@contextmanager
def patched_jobs(world_now: Callable[[], float], hub: Callable[[], Hub]) -> Iterator[None]:
    """While the block lasts the jobs' stop-watch follows the carrier's clock, writing a file is an effect, and tokens come of the seed."""
    stop_watch, write, token = jobs.time, jobs.write_whole, uuid.uuid4
    chance = Random(f"tokens {hub().seed}")

    def fated(path: Path, data: bytes) -> None:
        try:
            hub().at("write")
        except Broken:
            raise OSError(28, "No space left on device") from None
        write(path, data)
        hub().at("written")

    jobs.time = types.SimpleNamespace(monotonic=world_now)  # type: ignore[assignment]
    jobs.write_whole = fated
    uuid.uuid4 = lambda: uuid.UUID(int=chance.getrandbits(128), version=4)  # a push-back's length lies in its attempt's token
    try:
        yield
    finally:
        jobs.time, jobs.write_whole, uuid.uuid4 = stop_watch, write, token
