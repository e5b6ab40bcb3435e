"""The carrier of `spoken_calls`, a process of its own: the simulated exchange in real time, which writes down what each turn took.

python -m tests.benchmarks.spoken_carrier <port> <start, ISO time> <share who speak> <file of the turns> <folder of sounds>
"""

import json
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from config.cli import open_house
from ivr.carrier.simulator.clock import ExchangeClock
from ivr.carrier.simulator.delivery import Courier
from ivr.carrier.simulator.effects import Fetch
from ivr.carrier.simulator.exchange import Account, Exchange, Terms
from ivr.carrier.simulator.media import Speech
from ivr.carrier.simulator.server import serve
from ivr.carrier.simulator.webhooks import Reply, WebHooks

THREADS = 48
SWITCH_SECONDS = 0.0005
"""A thread that has an answer must not wait behind those that send sound: what is measured is the house, not the carrier."""


@dataclass(frozen=True)
class Turn:
    """One turn as the carrier brought it: by key, or not; its HTTP status; the seconds until its answer was there."""

    is_key: bool
    status: int
    seconds: float


class Watch(Courier):
    """Brings web-hooks as ever, and writes down the turns."""

    def __init__(self, exchange: Exchange, file: TextIO) -> None:
        hooks = WebHooks(exchange.account.auth_token, THREADS + 4)
        super().__init__(hooks, exchange.schedule, exchange.seed, lambda: exchange.faults.plan)
        self._file = file

    def fetch(self, fetch: Fetch, at: float) -> Reply:
        """Send a turn."""
        began = time.perf_counter()
        reply = super().fetch(fetch, at)
        took = time.perf_counter() - began
        self._file.write(json.dumps([bool(fetch.params.get("Digits")), reply.status, round(took, 6)]) + "\n")
        return reply


def turns_in(path: Path) -> list[Turn]:
    """The turns that a carrier has written down."""
    return [Turn(*json.loads(line)) for line in path.read_text("ascii").splitlines()]


def main(port: int, start: datetime, speakers: float, turns: Path, sounds: Path) -> None:
    """Serve an exchange at whose end callees speak, until killed; its clock stands until it is told to run."""
    sys.setswitchinterval(SWITCH_SECONDS)
    settings = open_house().settings
    account = Account(settings.twilio_account_sid, settings.twilio_auth_token)
    terms = Terms(calls_per_second=100.0, threads=THREADS, speech=Speech(share=speakers, folder=sounds))
    clock = ExchangeClock(start, time.time, settings.clock_file)
    exchange = Exchange(account, clock, environment=settings.environment, seed=1, terms=terms)
    with turns.open("a", buffering=1, encoding="ascii") as file:
        exchange.courier = Watch(exchange, file)
        serve(exchange, port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
