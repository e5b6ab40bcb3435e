"""A small house in one process: the voice door and the simulated carrier on real HTTP, jobs on threads, virtual time.

`served` has the two doors of telephone and sound as real processes under the supervisor instead.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from werkzeug.serving import make_server

from config.settings import Settings
from config.wiring import House
from ivr.carrier.base import Carrier
from ivr.carrier.simulator.clock import ExchangeClock, moment
from ivr.carrier.simulator.exchange import Account, Exchange, Terms
from ivr.carrier.simulator.media import Speech
from ivr.carrier.simulator.persona import Traits
from ivr.carrier.simulator.server import QuietHandler, serving
from ivr.carrier.twilio import TwilioCarrier
from ivr.voice.app import create_voice_app
from ivr.voice.guard import Guard
from ivr.voice.routes import VoiceServices
from ivr.voice.wording import VOICES
from survey.store.migrations import migrate
from survey.store.models import CallAttempt, Campaign, Respondent
from survey.store.queries import fieldwork as queries
from survey.store.sealing import place
from survey.store.unit_of_work import UnitOfWork
from tests.benchmarks.spoken_house import family, running
from tests.calls.stage import free_port
from tests.conftest import StandingClock
from tests.media_server import listening_to_callers
from tests.survey.fieldwork.conftest import Ground
from worker import jobs, runtime
from worker.runtime import Runtime

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ACCOUNT, TOKEN = "AC" + "5" * 32, "token of the small house"
THREADS = 8
TICK, STRIDE = timedelta(seconds=2), timedelta(seconds=15)
ONE_SECOND = timedelta(seconds=1)
HEARING_SECONDS = 20.0
"""Real time for what was said to be understood by processes on a machine that does much else."""

START = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass
class ThreadedQueue:
    """A job queue that any thread may fill, and that many work off at once; a waiting job is not taken twice."""

    _waiting: dict[tuple[str, int, int], None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enqueue(self, job: str, row_id: int, epoch: int = 0) -> None:
        """Remember the job."""
        with self._lock:
            self._waiting[job, row_id, epoch] = None

    def work_off(self, pool: ThreadPoolExecutor) -> None:
        """Do everything, also what comes meanwhile."""
        while batch := self._take():
            list(pool.map(lambda job: getattr(jobs, job[0])(job[1], job[2]), batch))

    def _take(self) -> list[tuple[str, int, int]]:
        with self._lock:
            taken, self._waiting = list(self._waiting), {}
            return taken


@dataclass
class ExchangeTime:
    """Our clock: the carrier's."""

    exchange: Exchange

    def now(self) -> datetime:
        """The carrier's virtual moment."""
        return moment(self.exchange.clock.now())


@dataclass
class SmallHouse:
    """What a test touches of it."""

    ground: Ground
    exchange: Exchange
    runtime: Runtime
    queue: ThreadedQueue
    pool: ThreadPoolExecutor
    hearers: Callable[[], tuple[int, ...]] = tuple  # the processes that recognise speech
    closed: set[str] = field(default_factory=set)  # at addresses that hold one of these words our door answers 503

    def everybody_is(self, traits: Traits) -> None:
        """Put a person with these traits at every number of the sample."""
        with self.ground.sessions() as session:
            for person in session.scalars(select(Respondent)):
                sealed_at = place("incidents", "phone_sealed", person.incident.public_id)
                self.exchange.register(str(self.ground.office.keys.open(person.incident.phone_sealed, sealed_at)), traits)

    def round(self) -> None:
        """Sweep once and do all jobs; virtual time stands meanwhile."""
        jobs.sweep(self.runtime)
        self.queue.work_off(self.pool)

    def run(self, campaign_id: int, *, most_seconds: float = 900.0) -> None:
        """Let virtual time pass until the campaign has ended. The longest time is for a machine that does much else."""
        until = time.monotonic() + most_seconds
        while self.state(campaign_id) == "running":
            assert time.monotonic() < until, f"the campaign does not end; its calls: {self._statuses()}"
            self.round()
            self.pass_time()

    def _statuses(self) -> dict[str, int]:
        with self.ground.sessions() as session:
            counted = session.execute(select(CallAttempt.status, func.count()).group_by(CallAttempt.status))
            return {row[0]: row[1] for row in counted}

    def state(self, campaign_id: int) -> str:
        """The campaign's state."""
        with self.ground.sessions() as session:
            return session.get_one(Campaign, campaign_id).state

    def pass_time(self) -> None:
        """Let time pass to the next thing that is due, or as far as calls go on."""
        now = self.runtime.clock.now()
        with self.ground.sessions() as session:
            following = queries.next_due(session)
            busy = session.scalar(select(func.count()).select_from(CallAttempt).where(CallAttempt.settled_at.is_(None)))
        if following is not None and following <= now:
            self.exchange.run_until(now + TICK)
        elif busy or following is None:
            self.exchange.run_until(min(now + STRIDE, following or now + STRIDE))
        else:
            self.exchange.run_until(following)


@contextmanager
def opened(ground: Ground, data: Path, *, seed: int = 1, patience_seconds: float = 0.5, speakers: float = 0.0) -> Iterator[SmallHouse]:
    """Open the house on the ground's database; `patience_seconds` is how long a request may wait for the carrier's answer.

    Where `speakers`, a share of all, answer by voice, somebody listens.
    """
    clock = ExchangeClock(ground.now, time.time)
    terms = Terms(calls_per_second=1000.0, threads=THREADS, quantum_seconds=2.0, speech=Speech(share=speakers))
    exchange, queue = Exchange(Account(ACCOUNT, TOKEN), clock, environment="test", seed=seed, terms=terms), ThreadedQueue()
    our_time = ExchangeTime(exchange)

    def work() -> UnitOfWork:
        return UnitOfWork(ground.sessions, queue)

    closed: set[str] = set()

    def answer(environ: "WSGIEnvironment", respond: "StartResponse") -> Iterable[bytes]:
        if any(word in environ["PATH_INFO"] for word in closed):
            respond("503 Service Unavailable", [("Content-Length", "0")])
            return []
        return app(environ, respond)

    server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=QuietHandler)
    base = f"http://127.0.0.1:{server.server_port}"
    listening = socket.create_server(("127.0.0.1", 0))
    media_url = f"ws://127.0.0.1:{listening.getsockname()[1]}/voice/media" if speakers else ""
    voice = VoiceServices(work, our_time, ground.office, Guard(base, ACCOUNT, (TOKEN,)), VOICES, media_url=media_url)
    app = create_voice_app(voice)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with serving(exchange) as api, ThreadPoolExecutor(THREADS) as pool, ExitStack() as stack:
        carrier: Carrier = TwilioCarrier(ACCOUNT, TOKEN, api, timeout_seconds=patience_seconds)
        hearers = stack.enter_context(listening_to_callers(voice, carrier, listening)) if speakers else tuple
        ours = Runtime(work, ground.office, our_time, carrier, data, base, machine_detection=False)
        runtime.install(ours)
        yield SmallHouse(ground, exchange, ours, queue, pool, hearers, closed)
    server.shutdown()
    server.server_close()
    listening.close()


@dataclass
class ServedHouse:
    """A small house whose doors are processes of `serve`, the process of which is `supervisor`."""

    settings: Settings
    house: House
    small: SmallHouse
    supervisor: int

    def named(self, name: str) -> list[int]:
        """The processes of that name which live."""
        return [pid for pid, named in family(self.supervisor) if named == name]

    def launch(self, people: int, traits: Traits) -> int:
        """A running campaign of people with these traits; its id."""
        self.small.ground.clock.moment = self.small.runtime.clock.now()
        campaign_id = self.small.ground.launch(people)
        self.small.everybody_is(traits)
        return campaign_id


@contextmanager
def served(data: Path) -> Iterator[ServedHouse]:
    """Open a house with `serve` for voice door and media server; the carrier, the jobs and virtual time are the test's."""
    line, voice = free_port(), free_port()
    given = {
        "environment": "test", "data": str(data), "voice_port": str(voice),
        "media_port": str(free_port()), "console_port": str(free_port()),
        "public_base_url": f"http://127.0.0.1:{voice}", "twilio_api_url": f"http://127.0.0.1:{line}", "clock_file": str(data / "clock"),
        "decoders": "1", "drain_seconds": "0", "log_level": "warning",
    }  # fmt: skip
    settings = Settings.from_env({f"HUIFANG_{name.upper()}": value for name, value in given.items()}, None)
    account, clock = Account(settings.twilio_account_sid, settings.twilio_auth_token), ExchangeClock(START, time.time, settings.clock_file)
    terms = Terms(calls_per_second=1000.0, speech=Speech(patience_seconds=HEARING_SECONDS))
    exchange, queue = Exchange(account, clock, environment="test", seed=1, terms=terms), ThreadedQueue()
    house = House(settings, own_queue=queue)
    migrate(house.engine)
    with (
        serving(exchange, port=line), ThreadPoolExecutor(THREADS) as pool,
        running(settings, "config.cli", "serve", "--only", "voice,media") as serve,
    ):  # fmt: skip
        ground = Ground(house.engine, house.office, StandingClock(START))
        runtime.install(house.runtime())
        yield ServedHouse(settings, house, SmallHouse(ground, exchange, runtime.current(), queue, pool), serve.pid)
    house.engine.dispose()
