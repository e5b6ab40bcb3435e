"""A campaign under the nemesis, from start to verdict. By hand, with its counts:

python -m tests.chaos.campaign --people 500 --seed 1 [--engine postgresql] [--calm]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from config.conductor import RemoteExchange
from survey.contact_rules import Rules
from survey.fieldwork import holds
from survey.holds import HoldReason
from survey.store.database import reading, session_factory
from survey.store.models import Campaign
from tests import postgres
from tests.chaos.aftermath import complaints
from tests.chaos.clockwork import Clockwork, Stuck
from tests.chaos.house import Premises, kept, settings_for
from tests.chaos.nemesis import Nemesis
from tests.chaos.people import launch
from tests.chaos.verdict import ZONE, Outcome, outcome

STARTS_AGAIN = "starts again in"
START = datetime(2026, 3, 2, 9, 0, tzinfo=ZONE)
RULES = Rules(max_attempts=2)
FAULTS = {
    "turn": {"duplicate": 0.05, "reorder": 0.05, "delay": 0.05, "drop": 0.02},
    "status": {"duplicate": 0.1, "reorder": 0.1, "delay": 0.1, "drop": 0.02},
    "recording": {"duplicate": 0.1, "reorder": 0.1},
    "machine": {"duplicate": 0.1, "reorder": 0.1},
    "create": {"too_many": 0.02, "error_before": 0.02, "error_after": 0.02, "hang_after": 0.01, "callback_first": 0.05},
    "list_lag_seconds": 20.0,
    "hang_seconds": 1.5,
}


@dataclass(frozen=True)
class Trial:
    """One campaign to be run: how many people, by which seed, on which database, with or without a nemesis."""

    people: int
    seed: int
    database_url: str = ""
    restart_database: Callable[[], None] | None = None
    calm: bool = False
    longest_seconds: float = 1200.0


def run(trial: Trial, folder: Path) -> Outcome:
    """Run the campaign to its end and judge it."""
    began = time.monotonic()
    with kept(settings_for(folder, trial.database_url), trial.seed, START) as premises:
        house = premises.house
        exchange = RemoteExchange(premises.settings.twilio_api_url)
        exchange.set_faults(FAULTS | {"seed": trial.seed})
        campaign_id = launch(house, trial.people, trial.seed, RULES)
        nemesis = Nemesis(premises, trial.seed, trial.restart_database)
        clockwork = Clockwork(
            exchange, session_factory(reading(house.engine)), campaign_id, nemesis.stopped_dialler.is_set,
            lambda: _watch_over(premises), nemesis.note, premises.settings.concurrent_calls, trial.longest_seconds,
        )  # fmt: skip
        with raging(nemesis, trial.calm):
            stuck = _brought_to_its_end(clockwork, nemesis, premises)
        clockwork.lifted += _watch_over(premises)  # the last settlement of all may have opened one
        journal = exchange.journal()
        with house.sessions() as session:
            found = outcome(house, session, session.get_one(Campaign, campaign_id), journal, premises.log())
        spoken = [] if stuck else list(complaints(premises, {call["to"] for call in journal}))
        restarts = premises.log().count(STARTS_AGAIN)
    counts = {
        "seed": trial.seed, **found.counts, "deeds": f"{sum(nemesis.done.values())}: {dict(sorted(nemesis.done.items()))}",
        "restarts by the supervisor": restarts, "holds lifted by hand": clockwork.lifted,
        "longest seconds without a settlement": round(clockwork.longest_stuck, 1), "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    return Outcome(counts, [*stuck, *found.faults, *spoken], sum(nemesis.done.values()), found.evidence)


def _brought_to_its_end(clockwork: Clockwork, nemesis: Nemesis, premises: Premises) -> list[str]:
    """Lead time through the campaign; what was still open, when it does not end."""
    try:
        clockwork.run()
    except Stuck as stuck:
        alive = sorted(process.name for process in premises.own())
        return [f"{stuck}", f"the last deeds: {nemesis.history[-10:]}", f"alive: {alive}", f"printed last:\n{premises.log()[-2000:]}"]
    return []


@contextmanager
def raging(nemesis: Nemesis, calm: bool) -> Iterator[None]:
    """Let the nemesis rage for the length of the block."""
    if calm:
        yield
        return
    nemesis.start()
    try:
        yield
    finally:
        nemesis.stop()


def _watch_over(premises: Premises) -> int:
    """Do what a supervisor does who watches: lift what only a person may lift. The number of holds lifted.

    A database that falls meanwhile is looked at again by and by.
    """
    house = premises.house
    try:
        with house.unit_of_work() as work:
            standing = [hold for hold in holds.standing_holds(work.session) if HoldReason.from_word(hold.reason).needs_person]
            for hold in standing:
                holds.lift(work.session, house.office, hold.id, "test", "the door was killed on purpose", house.clock.now())
    except SQLAlchemyError:
        return 0
    return len(standing)


@contextmanager
def database(engine: str) -> Iterator[tuple[str, Callable[[], None] | None]]:
    """The URL of a database and how to restart its server: of PostgreSQL a cluster of its own, of SQLite nothing."""
    if engine == "sqlite":
        yield "", None
        return
    programs = postgres.programs()
    assert programs is not None, "PostgreSQL is not installed"
    with postgres.running(programs) as url:
        yield url, lambda: postgres.restart(programs, url)


def main() -> int:
    """Run by hand and print the counts; status 1 when something is not as it must be."""
    options = argparse.ArgumentParser()
    options.add_argument("--people", type=int, default=500)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    options.add_argument("--calm", action="store_true", help="without the nemesis")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="huifang-chaos-") as folder, database(given.engine) as (url, restart):
        found = run(Trial(given.people, given.seed, url, restart, given.calm, 600 + given.people), Path(folder))
    print(found.text())
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
