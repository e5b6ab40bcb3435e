"""An exchange served on this machine, a toy application, and twilio's own client between them."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from twilio.rest import Client

from ivr.carrier.simulator.calls import Call
from ivr.carrier.simulator.clock import ExchangeClock
from ivr.carrier.simulator.exchange import Account, Exchange, Terms
from ivr.carrier.simulator.server import serving
from tests.ivr.simulator.toy import TOKEN, Toy, served, survey

START = datetime(2026, 9, 1, 1, tzinfo=UTC)
SID = "AC" + "a" * 32
OURS = "+8610099999900"


@pytest.fixture
def toy() -> Iterator[Toy]:
    with served(Toy(survey())) as application:
        yield application


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    terms = Terms(calls_per_second=100, threads=4)
    exchange = Exchange(Account(SID, TOKEN), ExchangeClock(START, time.time), environment="test", seed=7, terms=terms)
    with serving(exchange):
        yield exchange


@pytest.fixture
def client(exchange: Exchange) -> Client:
    client = Client(SID, TOKEN, environment={})
    client.api.base_url = exchange.base_url
    return client


@pytest.fixture
def call(client: Client, toy: Toy) -> Callable[..., str]:
    """Ask for a call as the application does; gives its sid."""

    def place(to: str = "+8610000000000", **changes: object) -> str:
        request = {
            "url": f"{toy.url}/steps/0", "fallback_url": f"{toy.url}/fallback", "status_callback": f"{toy.url}/status",
            "status_callback_event": ["initiated", "ringing", "answered", "completed"],
        }  # fmt: skip
        return client.calls.create(to=to, from_=OURS, **{**request, **changes}).sid

    return place


@pytest.fixture
def story(call: Callable[..., str], exchange: Exchange) -> Callable[..., Call]:
    """Place a call to a number with this ending and let it happen; gives what the exchange knows of it."""

    def happen(ending: str = "00", **changes: object) -> Call:
        sid = call(f"+86100000000{ending}", **changes)
        exchange.run_until(exchange.next_event_at() + timedelta(minutes=30))
        return exchange.calls[sid]

    return happen
