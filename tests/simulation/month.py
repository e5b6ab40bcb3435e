"""One seed, one month: people, scripts, rules, weather and fate are drawn from it; the verdict is that of the judges.

.venv/bin/python -m tests.simulation.month 17            # one seed, with its history
.venv/bin/python -m tests.simulation.month 0 --seeds 500 # many, one line for each that fails
"""

import argparse
import logging
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from ivr.carrier.simulator.faults import FaultPlan, HookFaults
from ivr.carrier.simulator.persona import Traits
from survey.contact_rules import Rules, kind_of_day
from survey.store.models import CallAttempt, Respondent
from survey.store.sealing import KeyRing
from survey.working_days import calendar
from tests.conftest import RING
from tests.simulation import checker, ledger
from tests.simulation.desk import Desk
from tests.simulation.ground import START, Ground, prepare
from tests.simulation.hub import Fates
from tests.simulation.line import Weather
from tests.simulation.world import AUDIT_KEY, World, patched_jobs

ENDINGS = (
    "00", "03", "09", "14", "17", "20", "25", "28", "30", "31", "33", "35", "36", "37", "39", "40", "43", "44", "45", "46", "48", "49",
    "52", "53", "54", "57", "58", "59", "60", "61", "66", "67", "72", "80", "85", "118", "128", "153", "218", "228", "97", "99",
    "145", "245", "14", "20", "53", "80", "97",
)  # fmt: skip
PEOPLE = (5, 13)
LONGEST_MONTH = timedelta(days=16)
LONGEST_SILENCE = 12 * 3600.0
MOST_TURNS = 4_000
MOST_PATIENCE = 100.0
RESUMED = ("145", "245")
INTERRUPTED = Traits(before="later", answers_from=2, asks_at="attitude")
"""Puts the first call off in the middle of the interview, and goes on with it in the second."""
COMMAND = ".venv/bin/python -m tests.simulation.month {seed}"


@dataclass(frozen=True)
class Setting:
    """What a seed stands for."""

    seed: int
    fates: Fates
    weather: Weather
    hooks: FaultPlan
    rules: Rules
    terms: dict[str, Any]
    script: str
    groups: list[list[int]]
    clock_steps: float = 0.0
    pauses: float = 0.0
    crashes: float = 0.0
    floods: float = 0.0
    lost: float = 0.0
    doubled: float = 0.0
    desk: float = 0.0  # what people do meanwhile, see `desk`
    clocks: dict[str, timedelta] = field(default_factory=dict)  # machines whose clocks differ from the others'
    told_of_ends: bool = True
    start: datetime = START


@dataclass
class Outcome:
    """What came of it: breaches, how many calls there were, and the history of the run."""

    breaches: list[str]
    calls: int
    faults: dict[str, int]
    trace: list[str] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)  # at the desk


def setting_of(seed: int, incidents: list[int]) -> Setting:
    """Draw a setting; one in four has good weather in each respect."""
    chance = Random(f"setting {seed}")

    def some(most: float) -> float:
        return chance.choice((0.0, chance.uniform(0, most), chance.uniform(0, most), most))

    def hook(most: float) -> HookFaults:
        return HookFaults(some(most), some(most), some(most), some(most))

    sample = chance.sample(incidents, chance.randint(*PEOPLE))
    cut = chance.randint(2, len(sample) - 1) if chance.random() < 0.25 else len(sample)
    weather = Weather(
        some(0.1), some(0.05), some(0.08), some(0.05), some(0.15), some(0.08), some(0.2), some(0.08), some(0.1),
        list_lag_seconds=chance.choice((0.0, 5.0, 40.0)),
    )  # fmt: skip
    return Setting(
        seed, Fates(some(0.004), some(0.004), some(0.05)), weather,
        FaultPlan(seed=seed, turn=hook(0.15), status=hook(0.2), recording=hook(0.3), machine=hook(0.3)),
        Rules(start_delay_minutes=0, max_attempts=chance.randint(2, 4), dayparts=1, spacing_minutes=chance.choice((180, 360))),
        {"lines": chance.randint(1, 4), "calls_per_second": chance.choice((0.2, 1.0, 3.0))},
        chance.choice(("short", "short", "long")), [sample[:cut], sample[cut:]],
        clock_steps=some(0.001), pauses=some(0.002), crashes=some(0.003), floods=some(0.003), lost=some(0.2), doubled=some(0.2),
        desk=some(0.03), clocks=_clocks(chance), told_of_ends=chance.random() < 0.7,
    )  # fmt: skip


def _clocks(chance: Random) -> dict[str, timedelta]:
    """In two of five months one worker's clock and the door's differ from that of the rest, by up to 90 seconds."""
    return {machine: timedelta(seconds=chance.choice((-90, -20, 20, 90))) for machine in ("worker 1", "door") if chance.random() < 0.4}


class Month:
    """The run of one setting."""

    def __init__(self, ground: Ground, folder: Path, setting: Setting) -> None:
        self.setting = setting
        self.world = World(
            ground, folder, setting.seed, weather=setting.weather, hooks=setting.hooks, clocks=setting.clocks,
            told_of_ends=setting.told_of_ends, start=setting.start,
        )  # fmt: skip
        for number in ground.incidents.values():
            if number.endswith(RESUMED):
                self.world.exchange.register(number, INTERRUPTED)
        self.world.queue.lost, self.world.queue.doubled = setting.lost, setting.doubled
        self.campaigns = [
            self.world.launch(group, script=setting.script, rules=setting.rules, **setting.terms) for group in setting.groups if group
        ]
        self.expected = sum(map(len, setting.groups))
        self.world.hub.fates = setting.fates
        self.desk = Desk(self.world, setting.terms.get("lines", 3), setting.terms.get("calls_per_second", 1.0))
        self.worst_clock = max(map(abs, setting.clocks.values()), default=timedelta(0))
        self.most_turns, self.until = MOST_TURNS, setting.start + LONGEST_MONTH
        self.is_late = False  # the month is over, and goes on for who was kept waiting by a pause
        self.fruitless = 0  # sweeps in a row that found nothing to do: the next one waits longer, or a month would be all sweeps

    def play(self) -> None:
        """Go on until every campaign is over and nothing waits, or the month is."""
        world, hub = self.world, self.world.hub
        for _ in range(self.most_turns):
            if world.exchange_clock.now() > self.until.timestamp() and not self._goes_on():
                return
            self._mischief()
            ready, idle = hub.ready(), hub.idle() if world.queue.waiting else []
            if not ready and not idle:
                if self._nothing_left():
                    return
                continue
            chance = hub.chance.random()
            if chance < 0.12:
                world.advance(hub.chance.uniform(0.0, 2.0))
            elif chance < 0.15:
                world.sweep()
            elif ready and (not idle or chance < 0.6):
                world.resume(hub.chance.choice(ready))
            elif idle:
                world.begin_job(hub.chance.choice(idle))

    def _goes_on(self) -> bool:
        """A campaign that is still paused at the month's end goes on for another, in which nobody pauses: its people are to be called."""
        if self.is_late or not self.desk.let_go_on():
            return False
        self.is_late, self.until = True, self.until + LONGEST_MONTH
        return True

    def _nothing_left(self) -> bool:
        """Nobody can go on now: sweep, then let time pass until something may happen. True at the very end."""
        world, hub = self.world, self.world.hub
        if self.fruitless == 0:  # the clock process sweeps once a second
            world.advance(hub.chance.uniform(0.2, 1.5))
        world.sweep()
        if world.queue.waiting and hub.idle():
            self.fruitless = 0
            return False
        running, unsettled, recordings = world.open_ends()
        wakes = hub.wakes_at()
        if not (running or unsettled or recordings or world.exchange.next_event_at() or wakes or world.queue.waiting):
            return True
        now, patience = world.exchange_clock.now(), min(2.0**self.fruitless, MOST_PATIENCE)
        self.fruitless += 1
        moments = [now + (hub.chance.uniform(15, 120) * patience if unsettled or recordings else LONGEST_SILENCE)]
        due = world.next_due()
        ahead = due.timestamp() - world.clock.error.total_seconds() if due else now
        moments += [ahead] if ahead > now else [now + 60.0 * patience] if due else []
        moments += [wakes] if wakes else []
        if hub.chance.random() < 0.4:
            self.desk.resume()
        world.wait_for_work(max(now + hub.chance.uniform(1, 8), min(moments)))
        return False

    def _mischief(self) -> None:
        world, chance, setting = self.world, self.world.hub.chance, self.setting
        if chance.random() < setting.crashes:
            world.crash()
        if chance.random() < setting.floods:
            world.hub.note("the queue is emptied")
            world.queue.waiting.clear()
        if chance.random() < setting.clock_steps:
            step = timedelta(seconds=chance.choice((-3600, -90, -3, 3, 90, 3600)))
            world.clock.error = step if world.clock.error == timedelta(0) else timedelta(0)
            self.worst_clock = max(self.worst_clock, abs(step))
            world.hub.note(f"our clock is wrong by {world.clock.error}")
        if chance.random() < setting.pauses and not self.is_late:
            self.desk.pause()
        if self.desk.chance.random() < setting.desk:
            self.desk.act()

    def judge(self, earlier: list[dict[str, Any]] | None = None) -> Outcome:
        """What both judges say about everything, and about what was taken out of the journal earlier."""
        world, desk, setting = self.world, self.desk, self.setting
        journal = [*(earlier or ()), *world.journal()]
        slack = timedelta(seconds=15) + self.worst_clock
        with world.quiet() as session:
            books = replace(
                ledger.read_books(session, KeyRing.parse(RING), AUDIT_KEY, self.expected), promises=tuple(desk.promises),
                told=frozenset(desk.refused), most_tries=setting.rules.max_attempts, slack=slack,
            )  # fmt: skip
            rows = [row for row in session.query(CallAttempt) if row.carrier_sid]
            case_of = {str(row.carrier_sid): str(row.respondent_id) for row in rows}
            campaign_of = {str(row.carrier_sid): str(row.campaign_id) for row in rows}
        legs = frozenset(pair[pair[0] in case_of] for pair in world.line.doubled)  # whichever of the two is not ours
        breaches = checker.violations(
            journal, self._people(), self._terms(slack), second_legs=legs, case_of=case_of, campaign_of=campaign_of, pauses=desk.pauses
        )
        breaches += ledger.disagreements(journal, books, legs) + world.door.refusals
        return Outcome(breaches, len(journal), world.line.fates, world.hub.trace, desk.done)

    def _terms(self, slack: timedelta) -> checker.Terms:
        setting, days = self.setting, calendar(self.setting.rules.calendar)
        return checker.terms_of(
            setting.rules.to_json(), lines=setting.terms["lines"], calls_per_second=setting.terms["calls_per_second"],
            kind_of_day=lambda day: kind_of_day(days, day), slack_seconds=slack.total_seconds(),
        )  # fmt: skip

    def _people(self) -> list[checker.Person]:
        """Everybody who may be called, with what was promised or refused; of a number with two cases, for both."""
        ground, desk = self.world.ground, self.desk
        with self.world.quiet() as session:
            incident_of = {row.id: row.incident_id for row in session.query(Respondent)}
        promised: dict[str, list[datetime]] = {}
        for promise in desk.promises:
            promised.setdefault(ground.incidents[incident_of[promise.case]], []).append(promise.at)
        return [
            checker.Person(number, ground.zones[incident], tuple(promised.get(number, ())), desk.refused.get(number))
            for incident, number in ground.incidents.items()
        ]


def ground_in(folder: Path) -> Ground:
    """The ground of all months."""
    return prepare(folder, ENDINGS)


def run(ground: Ground, folder: Path, seed: int) -> Outcome:
    """Play the month of a seed and judge it."""
    setting = setting_of(seed, sorted(ground.incidents))
    month = Month(ground, folder, setting)
    with patched_jobs(month.world.exchange_clock.now, lambda: month.world.hub):
        month.play()
        return month.judge()


def main(arguments: list[str]) -> int:
    """Run seeds from the command line; the exit status is 1 when any of them fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("--seeds", type=int, default=1)
    chosen = parser.parse_args(arguments)
    logging.disable()
    began, calls, failed = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        ground = ground_in(Path(folder))
        for seed in range(chosen.first, chosen.first + chosen.seeds):
            outcome = run(ground, Path(folder), seed)
            calls += outcome.calls
            if chosen.seeds == 1:
                print("\n".join(outcome.trace), outcome.faults, sep="\n")
            if outcome.breaches:
                failed += 1
                print(f"seed {seed}: {COMMAND.format(seed=seed)}", *outcome.breaches, sep="\n  ")
    print(f"{chosen.seeds} seeds, {calls} calls, {failed} failed, {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
