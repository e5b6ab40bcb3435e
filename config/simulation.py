"""The simulated carrier as a process of its own: `python -m config.simulation <port> <seed> <start, ISO time> [<share who speak>]`."""

import sys
import time
from dataclasses import replace
from datetime import datetime

from config.cli import open_house
from ivr.carrier.simulator.clock import ExchangeClock
from ivr.carrier.simulator.exchange import Account, Exchange, Terms
from ivr.carrier.simulator.media import Speech
from ivr.carrier.simulator.server import serve

TERMS = Terms(calls_per_second=100.0, threads=12, quantum_seconds=4.0)
"""The line takes calls as fast as they come: pacing is our own side's duty, and is checked there."""


def main(port: int, seed: int, start: datetime, speakers: float = 0.0) -> None:
    """Serve an exchange whose virtual clock stands at `start`, for the account that the settings name.

    `speakers` is the share of callees who answer with their voice where somebody listens.
    """
    settings = open_house().settings
    clock = ExchangeClock(start, time.time, settings.clock_file)
    account = Account(settings.twilio_account_sid, settings.twilio_auth_token)
    terms = replace(TERMS, speech=Speech(share=speakers))
    serve(Exchange(account, clock, environment=settings.environment, seed=seed, terms=terms), port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), datetime.fromisoformat(sys.argv[3]), float(sys.argv[4]) if len(sys.argv) > 4 else 0.0)
