"""The simulated carrier as a process of its own: `python -m config.simulation <port> <seed> <start, ISO time>`."""

import sys
import time
from datetime import datetime

from config.cli import open_house
from ivr.carrier.simulator.clock import ExchangeClock
from ivr.carrier.simulator.exchange import Account, Exchange, Terms
from ivr.carrier.simulator.server import serve

TERMS = Terms(calls_per_second=100.0, threads=12, quantum_seconds=4.0)
"""The line takes calls as fast as they come: pacing is our own side's duty, and is checked there."""


def main(port: int, seed: int, start: datetime) -> None:
    """Serve an exchange whose virtual clock stands at `start`, for the account that the settings name."""
    settings = open_house().settings
    clock = ExchangeClock(start, time.time, settings.clock_file)
    account = Account(settings.twilio_account_sid, settings.twilio_auth_token)
    serve(Exchange(account, clock, environment=settings.environment, seed=seed, terms=TERMS), port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), datetime.fromisoformat(sys.argv[3]))
