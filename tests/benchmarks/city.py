"""A whole house in one process on the exchange's own clock: a city's day of callbacks in minutes.

Nothing is left out but the network and the processes: our adapter speaks to the simulated carrier's routes, its signed web-hooks go
through the voice door, the jobs are the workers' own, the sweep is the clock process's. Requests are handed from one WSGI
application to the other; the queue is worked off in place; time stands still while anybody works.
"""

import io
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from sqlalchemy import func, select
from urllib3 import HTTPHeaderDict

from config.settings import Settings
from config.wiring import House
from ivr.carrier.simulator.app import create_app
from ivr.carrier.simulator.clock import ExchangeClock, moment
from ivr.carrier.simulator.delivery import Courier
from ivr.carrier.simulator.exchange import Account, Exchange, Terms
from ivr.carrier.simulator.webhooks import WebHooks
from ivr.carrier.twilio import TwilioCarrier
from survey.store.models import CallAttempt, Recording
from survey.store.queries import fieldwork as queries
from worker import jobs, runtime
from worker.queues import InlineQueue

VOICE, CARRIER = "http://voice.test", "http://carrier.test"
TICK, STRIDE = timedelta(seconds=2), timedelta(seconds=20)
"""Between two sweeps: while somebody is due, and while only calls go on."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class Answer:
    """What an application answered."""

    status: int
    headers: HTTPHeaderDict
    data: bytes


def ask(application: Application, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Hand one request to a WSGI application as a server would."""
    where = urlsplit(url)
    path = where.path + (f"?{where.query}" if where.query else "")
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": unquote(where.path, "latin-1"), "QUERY_STRING": where.query, "RAW_URI": path,
        "SCRIPT_NAME": "", "SERVER_NAME": where.hostname, "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    told: list[Any] = []
    data = b"".join(application(environ, lambda status, found, _=None: told.extend((status, found))))
    return Answer(int(told[0].split()[0]), HTTPHeaderDict(told[1]), data)


class DirectPool:
    """What the exchange uses in place of its pool of connections."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def request(self, method: str, url: str, *, body: bytes, headers: Mapping[str, str], **_: Any) -> Answer:
        """One request."""
        return ask(self._application, method, url, headers, body)


class DirectAdapter(BaseAdapter):
    """What our carrier's client uses in place of the network."""

    def __init__(self, application: Application) -> None:
        super().__init__()
        self._application = application

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """One request."""
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        answer = ask(self._application, request.method or "GET", request.url or "", request.headers, body)
        reply = requests.Response()
        reply.status_code, reply.headers, reply.url = (
            answer.status,
            requests.structures.CaseInsensitiveDict(answer.headers),
            request.url or "",
        )
        reply.raw, reply.request = io.BytesIO(answer.data), request
        return reply

    def close(self) -> None:
        """Nothing is open."""


class ExchangeTime:
    """The exchange's clock, as the house reads it."""

    def __init__(self, clock: ExchangeClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """The present virtual moment."""
        return moment(self._clock.now())


class City:
    """The house and its carrier. `play` lets time pass until nobody is left to call."""

    def __init__(self, folder: Path, start: datetime, lines: int, seed: int = 1) -> None:
        clock = ExchangeClock(start, time.time)
        given = {
            "ENVIRONMENT": "test", "DATA": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'city.sqlite'}?synchronous=NORMAL",
            "PUBLIC_BASE_URL": VOICE, "TWILIO_API_URL": CARRIER, "CONCURRENT_CALLS": str(lines),
        }  # fmt: skip
        settings = Settings.from_env({f"HUIFANG_{name}": value for name, value in given.items()}, None)
        account = Account(settings.twilio_account_sid, settings.twilio_auth_token)
        terms = Terms(calls_per_second=1000.0, threads=1, quantum_seconds=0.0)
        self.exchange = Exchange(account, clock, environment="test", seed=seed, terms=terms)
        self.exchange.base_url = CARRIER
        self.queue = InlineQueue()
        carrier = TwilioCarrier(account.sid, account.auth_token, CARRIER)
        carrier._client.http_client.session.mount(CARRIER, DirectAdapter(create_app(self.exchange)))
        self.house = House(settings, ExchangeTime(clock), self.queue, carrier)
        hooks = WebHooks(account.auth_token, 1)
        hooks._pool = DirectPool(self.house.voice_app())  # type: ignore[assignment]
        self.exchange.courier = Courier(hooks, self.exchange.schedule, seed, lambda: self.exchange.faults.plan)
        self._runtime = self.house.runtime()
        self.sweeps = 0

    @property
    def now(self) -> datetime:
        """The present virtual moment."""
        return self.house.clock.now()

    def play(self, report: Callable[[datetime], None] = lambda now: None) -> None:
        """Let the day, and as many more as it takes, go by."""
        runtime.install(self._runtime)
        while True:
            jobs.sweep(self._runtime)
            self.sweeps += 1
            self.queue.drain(lambda name, row_id, epoch: getattr(jobs, name)(row_id, epoch))
            report(self.now)
            following = self._next_moment()
            if following is None:
                return
            self.exchange.run_until(following)

    def _next_moment(self) -> datetime | None:
        """Until when nothing can happen that the sweep must see; None when there is nothing to wait for."""
        with self.house.sessions() as session:
            due = queries.next_due(session)
            open_ends = session.scalar(select(func.count()).where(CallAttempt.settled_at.is_(None))) or 0
            open_ends += session.scalar(select(func.count()).where(Recording.due_at.is_not(None))) or 0
        if due is not None and due <= self.now:
            return self.now + TICK
        if open_ends or self.exchange.next_event_at() is not None:
            return min(self.now + STRIDE, due or self.now + STRIDE)
        return due

    def close(self) -> None:
        """Stop the exchange and leave the database."""
        self.exchange.close()
        self.house.engine.dispose()
