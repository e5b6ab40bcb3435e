"""Both doors on real HTTP, with a road to PostgreSQL and one to Valkey on which the weather can be made."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from redis import Redis
from sqlalchemy import make_url, select
from werkzeug.serving import make_server

from config.settings import Settings
from config.wiring import House
from ivr.carrier.simulator.server import QuietHandler
from ivr.carrier.simulator.signing import sign
from survey.store.database import open_engine
from survey.store.migrations import migrate
from survey.store.models import CallAttempt
from tests import embedded, postgres
from tests.calls.stage import free_port
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import Ground
from tests.weather.proxy import Road, road

ACCOUNT, TOKEN = "AC" + "7" * 32, "token of the weather station"
LONGEST_SECONDS = 30.0


@dataclass
class Station:
    """`database` and `store` are the roads; `ground` works beside them, on a connection that no weather touches."""

    house: House
    ground: Ground
    database: Road
    store: Road
    valkey: Redis

    def hook(self, path: str, **form: str) -> requests.Response:
        """A signed web-hook, as the carrier sends it."""
        url = self.house.settings.public_base_url + path
        form = {"AccountSid": ACCOUNT, "CallSid": self._sid(path), "CallStatus": "in-progress", **form}
        return requests.post(url, form, headers={"X-Twilio-Signature": sign(TOKEN, url, form)}, timeout=LONGEST_SECONDS)

    def _sid(self, path: str) -> str:
        """The carrier's name of the call that a path speaks of."""
        token = path.removeprefix("/voice/attempts/").partition("/")[0]
        with self.ground.sessions() as session:
            return session.scalar(select(CallAttempt.carrier_sid).where(CallAttempt.token == token)) or "CA" + "9" * 32

    def a_call(self) -> str:
        """The token of an attempt that the carrier has accepted."""
        self.ground.clock.advance(seconds=2)
        self.ground.launch(1, lines=50, calls_per_second=50.0)
        attempt_id = self.ground.claim()[-1]
        self.ground.place_call(attempt_id)
        return self.ground.attempt(attempt_id).token


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here: SQLite has no road on which there could be weather")
    data = tmp_path_factory.mktemp("weather")
    with (
        postgres.running(programs) as url,
        embedded.running(data) as valkey,
        road(_socket_of(url)) as database,
        road(_socket(valkey)) as store,
    ):
        direct = open_engine(url)
        migrate(direct)
        clock = StandingClock()
        house = House(settings(data, database, store), own_clock=clock)
        with served(house.voice_app, house.settings.voice_port), served(house.console_app, house.settings.console_port):
            yield Station(house, Ground(direct, house.office, clock), database, store, valkey)
        house.engine.dispose()
        direct.dispose()


def _socket_of(url: str) -> str:
    return f"{make_url(url).query['host']}/.s.PGSQL.5432"


def _socket(valkey: Redis) -> str:
    return str(valkey.connection_pool.connection_kwargs["path"])


def settings(data: Path, database: Road, store: Road) -> Settings:
    """Settings that lead over the roads."""
    voice, console = free_port(), free_port()
    given = {
        "environment": "test", "data": str(data), "database_url": f"postgresql://tester@127.0.0.1:{database.port}/postgres",
        "redis_url": f"redis://127.0.0.1:{store.port}", "voice_port": str(voice), "console_port": str(console),
        "calls_per_second": "50", "concurrent_calls": "50", "listening": "no",
        "public_base_url": f"http://127.0.0.1:{voice}", "twilio_account_sid": ACCOUNT, "twilio_auth_token": TOKEN,
    }  # fmt: skip
    return Settings.from_env({f"HUIFANG_{name.upper()}": value for name, value in given.items()}, None)


class served:  # noqa: N801 - used like a function
    """Serve an app on a port for the length of a block."""

    def __init__(self, make: Callable[[], Any], port: int) -> None:
        self._server = make_server("127.0.0.1", port, make(), threaded=True, request_handler=QuietHandler)

    def __enter__(self) -> None:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __exit__(self, *how: object) -> None:
        self._server.shutdown()
        self._server.server_close()
