"""A city bureau's day (tier T2): 3,000 cases, each reported incident called back, 6,600 calls, on a virtual clock, judged from outside.

    python -m tests.benchmarks.city_day [--cases 3000] [--lines 25] [--seed 1]

The bureau calls from 9 to 12 and from 15 to 20: eight hours in three dayparts, so that somebody who does not answer can be tried
three times in one day with three hours between (R15), and a busy line up to five times. What is then still open waits over the
holiday of 1 to 5 May and is tried again on the 6th, within the seven days. The carrier's own record of every call is given to
`tests.simulation.checker` and `courtesy`, which know nothing of this program. Nothing passes or fails by speed; a broken rule does.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import witness
from ivr.carrier.simulator import callees
from survey import fieldwork
from survey.contact_rules import Rules, Window
from survey.store import audit
from survey.store.migrations import migrate
from survey.store.models import Answer, CallAttempt, Draw, DrawnIncident, Incident, Respondent, ScriptVersion, Unit
from survey.store.sealing import place
from tests.benchmarks.city import City
from tests.benchmarks.turns import SCRIPT
from tests.simulation import checker, courtesy

ZONE = "Asia/Shanghai"
TZ = ZoneInfo(ZONE)
DAY = date(2026, 4, 30)  # a Thursday; the next five days are a public holiday, the ninth is a working Saturday
HOLIDAYS = frozenset(date(2026, 5, day) for day in range(1, 6))
MADE_UP_FOR = date(2026, 5, 9)
LINES, CALLS_PER_SECOND = 25, 1.0
SHARES = {
    "satisfied": 17.0, "mixed": 11.0, "satisfied_second_call": 4.0, "satisfied_third_call": 2.0, "mixed_busy_first": 4.0,
    "no_answer": 32.0, "busy": 9.0, "machine": 5.0, "never": 2.0, "refuses": 2.0, "no_such_number": 2.0,
}  # fmt: skip
OTHER_KINDS_SHARE = 0.5  # of a hundred, for each kind of callee that is not named: 55 of a hundred people are reached


@dataclass(frozen=True)
class Played:
    """A day that is over: the carrier's record, what it may not hold, what the tables say."""

    journal: list[dict[str, Any]]
    breaches: list[str]
    verdict: witness.Verdict
    attempts: int
    sids: frozenset[str]
    states: Mapping[str, int]
    reasons: Mapping[str, int]
    flaws: int
    seconds: float
    sweeps: int
    by_day: Mapping[date, int] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        """Whether no rule was broken, and calls, answers and the audit trail are whole."""
        whole = self.sids == {call["sid"] for call in self.journal} and not self.flaws
        return not self.breaches and self.verdict.is_clean and whole and self.states.keys() <= {"closed", "needs_review"}


def rules() -> Rules:
    """The bureau's rules of contact: the usual ones, with eight hours of windows on a working day."""
    day = [("09:00", "12:00"), ("15:00", "20:00")]
    return Rules(working_day=tuple(Window(*(datetime.strptime(at, "%H:%M").time() for at in pair)) for pair in day))  # noqa: DTZ007


def kind_of_day(day: date) -> str:
    """The calendar around the day that is played, written down once more."""
    if day in HOLIDAYS:
        return "public_holiday"
    return "working_day" if day.weekday() < 5 or day == MADE_UP_FOR else "weekend"


def numbers(count: int, seed: int) -> Iterator[str]:
    """Different numbers whose endings give the shares of kinds of callee."""
    chance = Random(seed)
    kinds = {row["name"]: SHARES.get(row["name"], OTHER_KINDS_SHARE) for row in callees.rows()}
    for serial, kind in enumerate(chance.choices(list(kinds), list(kinds.values()), k=count)):
        yield f"+86100{serial:06d}{chance.choice(callees.endings_of(kind))}"


def launch(city: City, phones: Iterable[str], name: str, lines: int) -> int:
    """A campaign over one incident for each number, closed between yesterday morning and today at ten; its id."""
    house, now = city.house, city.now
    with house.unit_of_work() as work:
        draw = _draw(work.session, [_incident(city, phone, name, place) for place, phone in enumerate(phones)], name, now)
        campaign = fieldwork.launch(
            work.session, house.office, draw, _script(work.session, now), rules(), now, name=name, lines=lines,
            calls_per_second=CALLS_PER_SECOND, caller_id=house.settings.caller_id, simulated=True, by="benchmark",
        )  # fmt: skip
        fieldwork.start(work.session, house.office, campaign, "benchmark", now)
    return campaign.id


def _incident(city: City, phone: str, name: str, number: int) -> Incident:
    closed = datetime.combine(DAY, datetime.min.time(), TZ) - timedelta(hours=14) + timedelta(seconds=number * 7_919 % 86_400)
    keys = city.house.keys
    incident = Incident(
        number=f"{name}{number:06d}", public_id=sha256(f"{name}{phone}".encode()).hexdigest()[:32], category="纠纷",
        occurred_at=closed - timedelta(hours=2), closed_at=closed, zone=ZONE, phone_key=keys.phone_key(phone), row_digest="",
    )  # fmt: skip
    incident.phone_sealed = keys.seal(phone, place("incidents", "phone_sealed", incident.public_id))
    return incident


def _draw(session: Session, incidents: list[Incident], name: str, now: datetime) -> Draw:
    draw = Draw(
        month=f"{DAY:%Y-%m}", size=len(incidents), minimum=1, seed=1, replicates=1, frame_count=len(incidents), frame_digest="0" * 64,
        program_version="benchmark", allocation=[], exclusions={}, incident_count=len(incidents), drawn_at=now,
    )  # fmt: skip
    unit = Unit(code=name, name="城东派出所")
    session.add_all([draw, unit, *incidents])
    session.flush()
    session.add_all(
        DrawnIncident(draw_id=draw.id, position=position, replicate=1, incident_id=incident.id, weight=1.0)
        for position, incident in enumerate(incidents)
    )
    session.flush()
    return draw


def _script(session: Session, now: datetime) -> ScriptVersion:
    known = session.scalar(select(ScriptVersion))
    if known is None:
        known = ScriptVersion(
            name="回访", number=1, language="zh-CN", text=SCRIPT.read_text("utf-8"), digest="1" * 64, published_at=now,
            published_by="benchmark",
        )  # fmt: skip
        session.add(known)
        session.flush()
    return known


def play(folder: Path, cases: int, lines: int, seed: int) -> Played:
    """Play the day, and a second small campaign that shares a few numbers with it, to their end."""
    began = time.monotonic()
    city = City(folder, datetime.combine(DAY, datetime.min.time(), TZ).replace(hour=8, minute=45), lines, seed)
    migrate(city.house.engine)
    phones = list(numbers(cases, seed))
    launch(city, phones, "day", lines)
    launch(city, phones[:: max(1, cases // 20)], "shared", lines)
    progress = _Progress()
    city.play(progress)
    try:
        return judge(city, phones, lines, time.monotonic() - began)
    finally:
        city.close()


class _Progress:
    """One line for each virtual hour in which something happens, on a terminal only."""

    def __init__(self) -> None:
        self._told: datetime | None = None

    def __call__(self, now: datetime) -> None:
        hour = now.astimezone(TZ).replace(minute=0, second=0, microsecond=0)
        if sys.stdout.isatty() and hour != self._told:
            print(f"{hour:%a %d %b %H:%M}", flush=True)
        self._told = hour


def judge(city: City, phones: Iterable[str], lines: int, seconds: float) -> Played:
    """Hold the carrier's record against the rules and against the tables."""
    journal = city.exchange.journal()
    with city.house.sessions() as session:
        attempts = session.scalars(select(CallAttempt).where(CallAttempt.requested_at.is_not(None), CallAttempt.direction == "out")).all()
        rows = session.execute(select(CallAttempt.carrier_sid, Answer.item, Answer.raw).join(Answer, Answer.attempt_id == CallAttempt.id))
        stored = [witness.StoredAnswer(sid or "", item, raw) for sid, item, raw in rows]
        states, reasons = (
            {row[0]: row[1] for row in session.execute(select(column, func.count()).group_by(column))}
            for column in (Respondent.state, Respondent.close_reason)
        )
        flaws = len(list(audit.verify(session, city.house.audit_key)))
    terms = checker.terms_of(
        rules().to_json(), lines=lines, calls_per_second=CALLS_PER_SECOND, kind_of_day=kind_of_day, slack_seconds=0.0, pace_allowance=0
    )
    case_of = {attempt.carrier_sid or "": str(attempt.respondent_id) for attempt in attempts}
    campaign_of = {attempt.carrier_sid or "": str(attempt.campaign_id) for attempt in attempts}
    people = [checker.Person(phone, ZONE) for phone in phones]
    days = Counter(datetime.fromisoformat(call["created_at"]).astimezone(TZ).date() for call in journal)
    breaches = checker.violations(journal, people, terms, case_of=case_of, campaign_of=campaign_of)
    breaches += [*courtesy.gave_up_early(journal), *courtesy.too_little_variety(journal, case_of, ZONE, kind_of_day)]
    return Played(
        journal, breaches, witness.compare(journal, stored),
        len(attempts), frozenset(attempt.carrier_sid for attempt in attempts if attempt.carrier_sid), states, reasons, flaws, seconds,
        city.sweeps, days,
    )  # fmt: skip


def main() -> int:
    """Play, judge, print; 1 when a rule was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        played = play(Path(folder), options.cases, options.lines, options.seed)
    print(f"{options.cases} cases, {played.attempts} attempts, {len(played.journal)} calls in the carrier's record, {options.lines} lines")
    for day, count in sorted(played.by_day.items()):
        print(f"  {day:%a %d %b}  {count}")
    reached = sum(1 for call in played.journal if call["answered_at"])
    hooks = sum(call["requests"] for call in played.journal)
    print(f"answered {reached}; web-hooks {hooks}; answers equal to keys {played.verdict.equal}")
    print(f"respondents {dict(played.states)}; closed because {dict(played.reasons)}")
    print(f"breaches of the rules: {len(played.breaches)}; flaws of the audit trail: {played.flaws}")
    for sentence in played.breaches[:20]:
        print(f"  {sentence}")
    print(f"{played.sweeps} sweeps; took {played.seconds:.0f} s, everything {'right' if played.is_right else 'NOT right'}")
    return 0 if played.is_right else 1


if __name__ == "__main__":
    sys.exit(main())
