"""A year on one database: a campaign each month, people who come again, faults all the time; and what grows meanwhile.

.venv/bin/python -m tests.simulation.year --people 600       # twelve months, about a thousand calls each

The contact rules hold across the campaigns: a refusal is final, a number is left alone for the time of the quarantine. After
each month a line tells what the office needs; at the end the judges see the whole year. The year is 2024, with its 29
February; set TZ to have the machine believe that it is somewhere else.
"""

import argparse
import gc
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from ivr.carrier.simulator.faults import FaultPlan, HookFaults
from survey.contact_rules import Rules
from survey.store.models import CallAttempt, Incident, Respondent
from survey.store.sealing import KeyRing
from tests.conftest import RING
from tests.simulation.ground import incident_of, prepare
from tests.simulation.hub import Fates
from tests.simulation.line import Weather
from tests.simulation.month import Month, Outcome, Setting
from tests.simulation.world import patched_jobs

PAGE = os.sysconf("SC_PAGE_SIZE")
YEAR = 2024
LONGEST = timedelta(days=24)
POOL = 12
"""The town has so many times the people of one month: some come again soon, some late, some never."""
STEPS = 200
LIGHT, MEDIUM = HookFaults(0.02, 0.02, 0.02, 0.02), HookFaults(0.05, 0.05, 0.05, 0.05)
SETTING = Setting(
    0, Fates(0.0003, 0.0003, 0.005),
    Weather(0.02, 0.002, 0.02, 0.01, 0.03, 0.01, 0.05, 0.01, 0.03, list_lag_seconds=5.0),
    FaultPlan(turn=LIGHT, status=MEDIUM, recording=MEDIUM, machine=MEDIUM),
    Rules(start_delay_minutes=0, max_attempts=3, dayparts=1), {"lines": 20, "calls_per_second": 3.0}, "long", [[], []],
    clock_steps=0.0001, pauses=0.0002, crashes=0.0005, floods=0.0005, lost=0.05, doubled=0.05, desk=0.005,
)  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """What was there after a month. `steps`: thousands of steps of the database's machine for each call; `rows`: of attempts."""

    calls: int
    quarantined: int
    megabytes: float
    descriptors: int
    unfinished: int
    waiting: int
    rows: int
    steps: float
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.calls} calls, {self.quarantined} left in quarantine, {self.seconds:.1f} s of processor, "
            f"{self.steps:.1f} k steps a call, {self.rows} attempts kept, {self.megabytes:.1f} MB, {self.descriptors} open files, "
            f"{self.unfinished} unfinished files, "
            f"{self.waiting} jobs left"
        )


class Year:
    """Twelve months, one office. `played` yields the figures of each; `judge` sees them all."""

    def __init__(self, folder: Path, people: int, seed: int = 0) -> None:
        self.folder, self.people = folder, people
        self.chance, self.keys = Random(f"year {seed}"), KeyRing.parse(RING)
        self.ground = prepare(folder, ())
        self.steps = 0
        self._count_steps(self.ground.engine)
        self.run = Month(self.ground, folder, replace(SETTING, seed=seed, start=datetime(YEAR, 1, 5, 1, 30, tzinfo=UTC)))
        self.record = folder / "journal.jsonl"

    def played(self, months: int = 12) -> Iterator[Figures]:
        """Play month after month."""
        world = self.run.world
        with patched_jobs(world.exchange_clock.now, lambda: world.hub):
            for month in range(1, months + 1):
                began, steps = time.process_time(), self.steps
                self._play(datetime(YEAR, month, 6, 1, 30, tzinfo=UTC))
                calls = world.forget()
                with self.record.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(call) + "\n" for call in calls)
                yield self._figures(len(calls), time.process_time() - began, self.steps - steps)

    def judge(self) -> Outcome:
        """What the judges say about the whole year."""
        return self.run.judge([json.loads(line) for line in self.record.read_text("utf-8").splitlines()])

    def _play(self, begin: datetime) -> None:
        run, world = self.run, self.run.world
        world.advance(begin.timestamp() - world.exchange_clock.now())
        run.campaigns.append(world.launch(self._newcomers(begin), script="long", rules=SETTING.rules, **SETTING.terms))
        run.expected += self.people
        run.until, run.most_turns, run.fruitless = begin + LONGEST, 1000 * self.people, 0
        run.play()

    def _newcomers(self, now: datetime) -> list[int]:
        """This month's incidents, reported from numbers of the town."""
        serials = self.chance.sample(range(1000, 1000 + POOL * self.people), self.people)
        with self.run.world.quiet() as session:
            known = session.scalar(select(func.count()).select_from(Incident)) or 0
            for place, serial in enumerate(serials):
                zone = "Asia/Urumqi" if serial % 10 == 7 else "Asia/Shanghai"
                incident = incident_of(known + place, f"+86100{serial:08d}", zone, self.keys, now)
                session.add(incident)
                session.flush()
                self.ground.incidents[incident.id], self.ground.zones[incident.id] = f"+86100{serial:08d}", zone
            session.commit()
        return sorted(self.ground.incidents)[-self.people :]

    def _count_steps(self, engine: Engine) -> None:
        def tick() -> int:
            self.steps += STEPS
            return 0

        @event.listens_for(engine, "connect")
        def _watch(connection: Any, record: Any) -> None:
            connection.set_progress_handler(tick, STEPS)

    def _figures(self, calls: int, seconds: float, steps: int) -> Figures:
        gc.collect()
        with Session(self.ground.engine) as session:
            rows = session.scalar(select(func.count()).select_from(CallAttempt)) or 0
            left = select(func.count()).where(Respondent.close_reason == "quarantine", Respondent.campaign_id == self.run.campaigns[-1])
            quarantined = session.scalar(left) or 0
        unfinished = sum(1 for _ in self.folder.rglob("*.part"))
        return Figures(
            calls, quarantined, _megabytes(), len(os.listdir("/proc/self/fd")), unfinished, len(self.run.world.queue.waiting), rows,
            steps / 1000 / max(calls, 1), seconds,
        )  # fmt: skip


def _megabytes() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE / 1e6


def main(arguments: list[str]) -> int:
    """Print a line for each month; the exit status is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    logging.disable()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        year = Year(Path(folder), chosen.people, chosen.seed)
        for number, figures in enumerate(year.played(chosen.months), start=1):
            print(f"month {number:2}: {figures}", flush=True)
        outcome = year.judge()
    print(*outcome.breaches, f"{outcome.calls} calls, {len(outcome.breaches)} breaches, {time.monotonic() - began:.1f} s", sep="\n")
    print(f"faults {outcome.faults}, at the desk {outcome.done}")
    return 1 if outcome.breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
