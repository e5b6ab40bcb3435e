"""The house under its own supervisor, as a process to be tormented: `python -m tests.chaos.keeper <seed> <start>`.

It is what `serve` runs, with the simulated carrier beside it and a second clock process that waits for the lease of the first.
"""

import sys
from dataclasses import replace
from functools import partial

from config import falls, ports, processes
from config.cli import open_house
from config.settings import ROOT, Settings
from config.supervisor import Child, Supervisor


def children(settings: Settings, seed: str, start: str) -> list[Child]:
    """Valkey, migration, carrier, voice door, workers, two clocks; no console: nobody looks."""
    environment = {**settings.as_environment(), "PYTHONPATH": str(ROOT)}
    line = settings.twilio_api_url.rpartition(":")[2]
    simulation = processes.python("config.simulation", line, seed, start)
    carrier = Child("carrier", simulation, environment, ready=partial(ports.answers, "127.0.0.1", int(line)))
    voice = [door for door in processes.doors(settings) if door.name == "voice"]
    clock = processes.sweeper(settings)
    return [*processes.store(settings), carrier, *voice, *processes.workers(settings), clock, replace(clock, name="clock-2")]


def main(seed: str, start: str) -> int:
    """Keep the house until told to stop; pauses are as short as after a long life."""
    falls.STEADY_SECONDS = 2.0
    return Supervisor(children(open_house().settings, seed, start)).run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
