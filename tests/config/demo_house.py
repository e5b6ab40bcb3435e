"""The demonstration's house in one process: voice door, simulated carrier and shared clock are real, jobs run on threads."""

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.serving import make_server

from config.conductor import RemoteExchange
from config.settings import Settings
from config.wiring import House
from ivr.carrier.simulator.clock import ExchangeClock
from ivr.carrier.simulator.exchange import Account, Exchange, Terms
from ivr.carrier.simulator.server import QuietHandler, serving
from survey import accounts, desk
from survey.accounts import own, people
from tests.attendance import attend
from tests.calls.small_house import START, THREADS, SmallHouse, ThreadedQueue
from tests.calls.stage import free_port
from tests.conftest import StandingClock
from tests.survey.fieldwork.conftest import Ground
from worker import runtime

TELEPHONE = "+8610099990090"


@dataclass
class DemoHouse:
    """The house, what moves it, and the carrier as the demonstration reaches it."""

    house: House
    small: SmallHouse
    remote: RemoteExchange

    def operator(self, name: str = "desk") -> None:
        """An operator with a telephone goes on duty."""
        house, now = self.house, self.house.clock.now()
        with house.unit_of_work() as work:
            accounts.add_user(work.session, name, "operator", "值班员", now)
            own.change_telephone(work.session, accounts.Hand(name, now, house.keys, house.audit_key, house.office.numbers), TELEPHONE)
            user = people.known(work.session, name)
            desk.duty.begin(work.session, house.office, user, attend(work.session, user, "login", now), now)


def settings_of(data: Path, **more: str) -> Settings:
    """Settings of a demonstration below `data`; no process of it listens to speech."""
    voice, line = free_port(), free_port()
    given = {
        "environment": "demo", "listening": "no", "data": str(data), "voice_port": str(voice), "console_port": str(free_port()),
        "public_base_url": f"http://127.0.0.1:{voice}", "twilio_api_url": f"http://127.0.0.1:{line}", "clock_file": str(data / "clock"),
        **more,
    }  # fmt: skip
    return Settings.from_env({f"HUIFANG_{name.upper()}": value for name, value in given.items()}, None)


@contextmanager
def opened(data: Path, tables: Path) -> Iterator[DemoHouse]:
    """Open the house, on a copy of a file with all tables, on a Monday morning at nine; its clock stands until somebody lets it run."""
    data.mkdir(parents=True, exist_ok=True)
    shutil.copy(tables, data / "huifang.sqlite")
    settings, queue = settings_of(data), ThreadedQueue()
    line = settings.twilio_api_url.rpartition(":")[2]
    account, clock = Account(settings.twilio_account_sid, settings.twilio_auth_token), ExchangeClock(START, time.time, settings.clock_file)
    exchange = Exchange(
        account, clock, environment="demo", seed=1, terms=Terms(calls_per_second=1000.0, threads=THREADS, quantum_seconds=2.0)
    )
    house = House(settings, own_queue=queue)
    server = make_server("127.0.0.1", settings.voice_port, house.voice_app(), threaded=True, request_handler=QuietHandler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with serving(exchange, port=int(line)), ThreadPoolExecutor(THREADS) as pool:
        runtime.install(house.runtime())
        ground = Ground(house.engine, house.office, StandingClock(START))
        small = SmallHouse(ground, exchange, runtime.current(), queue, pool)
        yield DemoHouse(house, small, RemoteExchange(settings.twilio_api_url))
    server.shutdown()
    server.server_close()
    house.engine.dispose()
