"""The one place where concrete things meet: settings become an engine, a queue, a carrier, the two doors."""

import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from config import valkey
from config.channels import channels
from config.clock import SharedClock, SystemClock
from config.no_carrier import NoCarrier, is_within
from config.settings import Settings
from ivr.carrier.base import Carrier
from survey.bureau import Bureau
from survey.desk_clock import DeskTerms
from survey.fieldwork import Office
from survey.order_clock import Terms
from survey.phone import NumberPolicy
from survey.ports import Announcer, Clock, JobQueue
from survey.store.database import open_engine, reading, session_factory
from survey.store.sealing import KeyRing
from survey.store.unit_of_work import UnitOfWork
from worker.announcing import RedisAnnouncer
from worker.queues import RqJobQueue
from worker.runtime import Runtime, stands_still

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from flask import Flask

    from ivr.voice.routes import VoiceServices


SCRIPTS = Path(__file__).parent / "scripts"

VOICE_SECONDS = 4.0
"""The longest that a turn waits for the database; the carrier gives up after fifteen, people sooner."""

CONSOLE_SECONDS = JOB_SECONDS = 20.0
"""The longest that one statement of a page, a download, a job or the clock process may take; none comes near it on a server that
works. Migrations, backups, the rotation of keys and the commands for sheets and lists may take as long as they need."""

LOOK_SECONDS = 2.0
"""The longest that somebody who asks whether the house is ready keeps a connection busy."""


@dataclass(frozen=True)
class House:
    """Everything a command, a door or a job may need, opened when first asked for.

    Tests and the demonstration may bring their own clock, queue or carrier. `statement_seconds` is the longest that a statement
    on `engine` may take, for processes that must never hang; commands take as long as they need.
    """

    settings: Settings
    own_clock: Clock | None = None
    own_queue: JobQueue | None = None
    own_carrier: Carrier | None = None
    statement_seconds: float | None = None

    @property
    def data(self) -> Path:
        """The data folder, made for its owner alone when it is missing."""
        self.settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.settings.data

    @cached_property
    def clock(self) -> Clock:
        """The virtual clock where the settings name its file, else the machine's."""
        if self.own_clock:
            return self.own_clock
        return SharedClock(self.settings.clock_file) if self.settings.clock_file else SystemClock()

    @cached_property
    def engine(self) -> Engine:
        """The database, with enough connections for the larger door."""
        threads = max(self.settings.voice_threads, self.settings.console_threads)
        return self._open_engine(threads, statement_seconds=self.statement_seconds)

    @cached_property
    def voice_engine(self) -> Engine:
        """The database for the voice door: a caller who waits must hear something, so it gives up in time to say it."""
        seconds = VOICE_SECONDS
        return self._open_engine(self.settings.voice_threads, patience_seconds=seconds, statement_seconds=seconds, whole_seconds=seconds)

    @cached_property
    def console_engine(self) -> Engine:
        """The database for the console: a page on which somebody waits says within seconds that the database is away."""
        return self._open_engine(self.settings.console_threads, statement_seconds=CONSOLE_SECONDS)

    @cached_property
    def look_engine(self) -> Engine:
        """The database for those who ask whether the house is ready: one connection, which is cut when nothing comes of it."""
        return self._open_engine(1, patience_seconds=VOICE_SECONDS, statement_seconds=LOOK_SECONDS, whole_seconds=LOOK_SECONDS)

    def _open_engine(self, threads: int, **limits: float | None) -> Engine:
        url = self.settings.database_url
        pool_size = min(threads, 16) if self.data and url.startswith("sqlite") else threads
        return open_engine(url, pool_size=pool_size, **{name: limit for name, limit in limits.items() if limit is not None})

    @cached_property
    def sessions(self) -> sessionmaker[Session]:
        """The session factory."""
        return session_factory(self.engine)

    @cached_property
    def redis(self) -> redis.Redis:
        """A client of the configured Redis, or of the embedded Valkey."""
        return valkey.client(self.settings.redis_url, self.settings.data)

    @cached_property
    def queue(self) -> JobQueue:
        """The job queue; with Redis down it logs and goes on."""
        return self.own_queue or RqJobQueue(self.redis)

    @cached_property
    def announcer(self) -> Announcer | None:
        """How open pages are told of changes; none where a test brings its own queue, and there may be no Redis."""
        if self.own_queue:
            return None
        return RedisAnnouncer(valkey.client(self.settings.redis_url, self.settings.data, hurried=True))

    def unit_of_work(self) -> UnitOfWork:
        """A fresh transaction with the jobs that its commit shall wake."""
        return UnitOfWork(self.sessions, self.queue, self.announcer)

    @cached_property
    def keys(self) -> KeyRing:
        """The keys for personal data."""
        return KeyRing.parse(self.settings.pii_keys)

    @cached_property
    def audit_key(self) -> bytes:
        """The key of the audit chain, derived from the index key because that one never rotates."""
        return hmac.new(self.keys.index_key, b"audit chain", hashlib.sha256).digest()

    @property
    def bureau(self) -> Bureau:
        """Who is calling."""
        given = self.settings
        return Bureau(
            given.bureau_name, given.bureau_name_en, given.hotline, given.callback_days, given.timezone,
            given.emergency_number, given.duty_desk_number,
        )  # fmt: skip

    @cached_property
    def office(self) -> Office:
        """Keys, wording and rules about numbers, as fieldwork wants them."""
        given = self.settings
        numbers = NumberPolicy(given.phone_regions, (given.caller_id, given.hotline), fictitious=given.environment != "production")
        account = (given.concurrent_calls, given.calls_per_second)
        languages = _heard_by_carrier() if self.carrier_listens else frozenset(self.speech_models) if self.media_url else frozenset()
        return Office(
            self.keys, self.audit_key, self.bureau, numbers, given.quarantine_days, *account, languages=languages, terms=self.terms,
            desk=self.desk_terms,
            followups=_followups(),
        )  # fmt: skip

    @property
    def desk_terms(self) -> DeskTerms:
        """How long calls are offered, wait, ring and are sorted out at the desk."""
        given = self.settings
        return DeskTerms(given.desk_offer_seconds, given.desk_wait_seconds, given.desk_ring_seconds, given.desk_wrap_seconds)

    @property
    def terms(self) -> Terms:
        """The bureau's deadlines and office hours for orders."""
        given = self.settings
        opening, closing = given.office_hours
        return Terms(
            zone=given.timezone, days=given.order_days, extension_days=given.extension_days, returns=given.order_returns,
            weekday=given.weekly_list_day - 1, opening=opening, closing=closing, review=given.order_review,
        )  # fmt: skip

    @cached_property
    def speech_models(self) -> "Mapping[str, Path]":
        """The folder of the speech model of each language that has one."""
        from config.speech_models import models

        return models(self.settings)

    @property
    def carrier_listens(self) -> bool:
        """Whether the carrier's own recogniser writes down what is said at a question."""
        return self.settings.listening and self.settings.recogniser == "carrier"

    @property
    def media_url(self) -> str:
        """Where the carrier reaches the media server; empty where nobody is to listen, or the carrier does."""
        given = self.settings
        if not given.listening or self.carrier_listens or not self.speech_models:
            return ""
        if given.public_media_url:
            return given.public_media_url
        if self.simulated and urlsplit(given.public_base_url).hostname == "127.0.0.1":
            return f"ws://127.0.0.1:{given.media_port}/voice/media"
        return given.public_base_url.replace("http", "ws", 1).rstrip("/") + "/voice/media"

    @property
    def simulated(self) -> bool:
        """Whether no real telephone can ring: not production, and not the real carrier."""
        return self.settings.environment != "production"

    def carrier(self) -> Carrier:
        """The way calls leave. Outside production, one that leads out of this network is refused: real people are never dialled."""
        if self.own_carrier:
            return self.own_carrier
        if self.simulated and not is_within(self.settings.twilio_api_url):
            return NoCarrier()
        from ivr.carrier.measured import MeasuredCarrier
        from ivr.carrier.twilio import TwilioCarrier  # the library is large; most commands never call anybody

        given = self.settings
        carrier = TwilioCarrier(
            given.twilio_account_sid, given.twilio_auth_token, given.twilio_api_url, api_key=given.twilio_api_key,
            api_secret=given.twilio_api_secret, timeout_seconds=given.carrier_timeout,
        )  # fmt: skip
        return MeasuredCarrier(carrier)

    def runtime(self) -> Runtime:
        """The surroundings of the jobs, for a worker process or for somebody who runs them in place."""
        given, clock = self.settings, self.clock
        return Runtime(
            self.unit_of_work, self.office, clock, self.carrier(), self.data, given.public_base_url,
            machine_detection=given.machine_detection, call_limit_seconds=given.call_limit_seconds,
            time_passes=clock.passes if isinstance(clock, SystemClock | SharedClock) else stands_still, speech_models=self.speech_models,
            channels=channels(self.settings),
        )  # fmt: skip

    def voice_app(self) -> "Flask":
        """Door 1, for the carrier alone."""
        from config.readiness import FATAL_FOR_CALLS, Readiness
        from ivr.voice.app import create_voice_app

        return create_voice_app(self.voice_services(Readiness(self, FATAL_FOR_CALLS)))

    def voice_services(self, ready: "Callable[[], tuple[int, dict[str, str]]] | None" = None) -> "VoiceServices":
        """What the voice door and the media server have in common."""
        from ivr.voice.guard import Guard
        from ivr.voice.routes import VoiceServices
        from ivr.voice.twiml import Voice

        given = self.settings
        guard = Guard(given.public_base_url, given.twilio_account_sid, (given.twilio_auth_token, given.twilio_auth_token_old))
        voices = {"zh": Voice("cmn-CN", given.voice_zh), "en": Voice("en-US", given.voice_en)}
        sessions = session_factory(self.voice_engine)
        return VoiceServices(
            lambda: UnitOfWork(sessions, self.queue, self.announcer), self.clock, self.office, guard, voices, ready, self.media_url,
            self.carrier_listens,
        )  # fmt: skip

    def console_app(self) -> "Flask":
        """Door 2, for people."""
        from config.live import live
        from config.operation import operations
        from ivr.console.app import create_console_app
        from ivr.console.services import ConsoleServices

        given = self.settings
        services = ConsoleServices(
            sessions=session_factory(self.console_engine), reads=session_factory(reading(self.console_engine)), queue=self.queue,
            clock=self.clock, office=self.office, environment=given.environment, simulated=self.simulated,
            secret_key=given.secret_key.encode(), https=given.console_https, data=self.data, proxies=given.trusted_proxies,
            operations=operations(self, known := live(self)), second_factor_roles=frozenset(given.second_factor_roles),
            order_template=given.order_template, next_day=self._next_day(), live=known,
        )  # fmt: skip
        return create_console_app(services)

    def _next_day(self) -> "Callable[[str], datetime] | None":
        """How the demonstration's clock is moved to the next working day; None where the clock is no demonstration's."""
        given = self.settings
        if given.environment != "demo" or given.clock_file is None or not is_within(given.twilio_api_url):
            return None
        from config.next_day import NextDay

        return NextDay(self)


def _followups() -> dict[str, str]:
    """The follow-up scripts that are used where nobody has published any."""
    return {language: (SCRIPTS / f"followup-{language}.yaml").read_text("utf-8") for language in ("zh", "en")}


def _heard_by_carrier() -> frozenset[str]:
    """Every language whose words we understand: the carrier writes them all down."""
    from config.speech_models import LANGUAGES

    return frozenset(LANGUAGES)
