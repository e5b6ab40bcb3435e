"""The one place where concrete things meet: settings become an engine, a queue, a carrier, the two doors."""

import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from config import valkey
from config.clock import SharedClock, SystemClock
from config.settings import TWILIO, Settings
from ivr.carrier.base import Carrier
from survey.bureau import Bureau
from survey.errors import NotAllowed
from survey.ports import Clock, JobQueue
from survey.store.database import open_engine, session_factory
from survey.store.sealing import KeyRing
from survey.store.unit_of_work import UnitOfWork
from worker.queues import RqJobQueue


@dataclass(frozen=True)
class House:
    """Everything a command, a door or a job may need, opened when first asked for.

    Tests and the demonstration may bring their own clock, queue or carrier.
    """

    settings: Settings
    own_clock: Clock | None = None
    own_queue: JobQueue | None = None
    own_carrier: Carrier | None = None

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
        if self.data and self.settings.database_url.startswith("sqlite"):
            return open_engine(self.settings.database_url, pool_size=min(threads, 16))
        return open_engine(self.settings.database_url, pool_size=threads)

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

    def unit_of_work(self) -> UnitOfWork:
        """A fresh transaction with the jobs that its commit shall wake."""
        return UnitOfWork(self.sessions, self.queue)

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
        return Bureau(given.bureau_name, given.bureau_name_en, given.hotline, given.callback_days, given.timezone)

    def carrier(self) -> Carrier:
        """The way calls leave. Raises NotAllowed where a demonstration would dial through the real carrier."""
        if self.own_carrier:
            return self.own_carrier
        if self.settings.environment != "production" and self.settings.twilio_api_url == TWILIO:
            raise NotAllowed(
                "演示与测试环境不会真的拨出：请设置 HUIFANG_TWILIO_API_URL，或以 HUIFANG_ENVIRONMENT=production 运行 / "
                "demo and test never dial through the real carrier: set HUIFANG_TWILIO_API_URL or HUIFANG_ENVIRONMENT=production"
            )
        return self._twilio()

    def _twilio(self) -> Carrier:
        from ivr.carrier.twilio import TwilioCarrier  # the library is large; most commands never call anybody

        given = self.settings
        carrier: Carrier = TwilioCarrier(
            given.twilio_account_sid, given.twilio_auth_token, given.twilio_api_url, timeout_seconds=given.carrier_timeout
        )
        return carrier
