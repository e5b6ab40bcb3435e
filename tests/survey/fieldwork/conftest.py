"""A small campaign on a real database, a clock that stands, and a carrier that only remembers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from survey import fieldwork
from survey.actions import Collect, Hangup, Join, Record, Say, SpeakingAction, Transfer
from survey.bureau import Bureau
from survey.contact_rules import Rules
from survey.events import Answered, Digits, Event, NoInput
from survey.phone import NumberPolicy
from survey.store.database import session_factory
from survey.store.models import CallAttempt, Campaign, Draw, DrawnIncident, Incident, Respondent, ScriptVersion, Unit
from survey.store.sealing import KeyRing, place
from survey.store.unit_of_work import UnitOfWork
from tests.conftest import StandingClock

SCRIPT = Path(__file__).parents[3] / "config" / "scripts" / "callback-zh.yaml"
CALLER_ID = "+861000000000"


@dataclass
class WakeList:
    """A job queue that only remembers what it was asked for."""

    asked: list[tuple[str, int, int]] = field(default_factory=list)

    def enqueue(self, job: str, row_id: int, epoch: int = 0) -> None:
        self.asked.append((job, row_id, epoch))


def render(actions: Sequence[SpeakingAction], step: int, context: fieldwork.TurnContext) -> str:
    """What a person would notice: prompts, what is waited for, and the step that comes next."""
    words = []
    for action in actions:
        match action:
            case Say(prompt):
                words.append(prompt)
            case Collect() | Record() | Transfer() | Join() | Hangup():
                words.append(type(action).__name__.lower())
    return f"{' '.join(words)} > {step}"


@dataclass
class Ground:
    """Everything a fieldwork test touches."""

    engine: Engine
    office: fieldwork.Office
    clock: StandingClock
    queue: WakeList = field(default_factory=WakeList)

    def __post_init__(self) -> None:
        self.sessions = session_factory(self.engine)

    def work(self) -> UnitOfWork:
        return UnitOfWork(self.sessions, self.queue)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def launch(self, people: int = 3, *, replicates: int = 1, same_number: bool = False, language: str = "zh", **settings: float) -> int:
        """A running campaign over so many drawn incidents, by the shipped script of that language; returns its id."""
        with self.work() as work:
            script = self._script(work, language)
            draw = self._draw(work, people, replicates, same_number)
            campaign = fieldwork.launch(
                work.session, self.office, draw, script, Rules(start_delay_minutes=0), self.now, name="三月回访", caller_id=CALLER_ID,
                simulated=True, by="tester", **{"lines": 5, "calls_per_second": 5.0, **settings},  # type: ignore[arg-type]
            )  # fmt: skip
            fieldwork.start(work.session, self.office, campaign, "tester", self.now)
        return campaign.id

    def _script(self, work: UnitOfWork, language: str = "zh") -> ScriptVersion:
        known = work.session.scalar(select(ScriptVersion))
        if known is None:
            known = ScriptVersion(
                name="回访",
                number=1,
                language={"zh": "zh-CN"}.get(language, language),
                text=SCRIPT.with_name(f"callback-{language}.yaml").read_text("utf-8"),
                digest="1" * 64,
                published_at=self.now,
                published_by="tester",
            )
            work.session.add(known)
            work.session.flush()
        return known

    def _draw(self, work: UnitOfWork, people: int, replicates: int, same_number: bool) -> Draw:
        count = len(work.session.scalars(select(Draw.id)).all())
        unit = Unit(code=f"U{count}", name="城东派出所")
        draw = Draw(
            month="2026-02", size=people, minimum=1, seed=1, replicates=replicates, frame_count=people, frame_digest="0" * 64,
            program_version="test", allocation=[], exclusions={}, incident_count=people, drawn_at=self.now,
        )  # fmt: skip
        work.session.add_all([unit, draw])
        work.session.flush()
        first = count * 10_000
        incidents = [self._incident(first + place, unit, 0 if same_number else first + place) for place in range(people)]
        work.session.add_all(incidents)
        work.session.flush()
        work.session.add_all(
            DrawnIncident(draw_id=draw.id, position=place, replicate=1 + place * replicates // people, incident_id=incident.id, weight=1.0)
            for place, incident in enumerate(incidents)
        )
        work.session.flush()
        return draw

    def _incident(self, serial: int, unit: Unit, subscriber: int) -> Incident:
        number = f"+86100{subscriber:08d}"
        incident = Incident(
            number=f"J{serial:06d}", public_id=f"{serial:032x}", unit_id=unit.id, category="纠纷",
            occurred_at=self.now - timedelta(days=14), closed_at=self.now - timedelta(days=13), zone="Asia/Shanghai",
            phone_key=self.office.keys.phone_key(number), row_digest="",
        )  # fmt: skip
        incident.phone_sealed = self.office.keys.seal(number, place("incidents", "phone_sealed", incident.public_id))
        return incident

    def claim(self, ahead: float = 0.0) -> list[int]:
        with self.work() as work:
            return fieldwork.claim_due(work, self.office, self.now, timedelta(seconds=ahead))

    def prepare(self, attempt_id: int) -> fieldwork.DialOrder | fieldwork.Early | None:
        with self.work() as work:
            return fieldwork.prepare_dial(work, self.office, attempt_id, self.now)

    def place_call(self, attempt_id: int) -> str:
        """Dial a claimed attempt at a carrier that accepts; returns the carrier's sid."""
        assert isinstance(self.prepare(attempt_id), fieldwork.DialOrder)
        sid = f"CA{attempt_id:032x}"
        with self.work() as work:
            fieldwork.note_accepted(work, attempt_id, sid, self.now)
        return sid

    def dial_next(self) -> tuple[int, str]:
        """Claim and place one call: its attempt id and token."""
        attempt_id = self.claim()[0]
        self.place_call(attempt_id)
        return attempt_id, self.attempt(attempt_id).token

    def turn(self, token: str, step: int, event: Event, sid: str = "") -> str:
        with self.work() as work:
            attempt = work.session.scalars(select(CallAttempt).where(CallAttempt.token == token)).one()
            sid = sid or attempt.carrier_sid or "CAfirst"
            return fieldwork.take_turn(work, self.office, token, step, event, sid, self.now, render)

    def talk(self, token: str, keys: str) -> list[str]:
        """Answer the call and press one key a turn (`_` is silence); the replies."""
        events: list[Event] = [Answered(), *(NoInput() if key == "_" else Digits(key) for key in keys)]
        return [self.turn(token, step, event) for step, event in enumerate(events)]

    def status(self, token: str, word: str, **facts: object) -> None:
        with self.work() as work:
            attempt = work.session.scalars(select(CallAttempt).where(CallAttempt.token == token)).one()
            sid = attempt.carrier_sid or "CAfirst"
            fieldwork.apply_status(work, token, sid, word, self.now, **facts)  # type: ignore[arg-type]

    def end(self, token: str, word: str = "completed", **facts: object) -> None:
        """The carrier reports the end; the grace passes; the attempt is settled."""
        self.status(token, word, seconds=60, **facts)
        self.clock.advance(seconds=31)
        self.settle(token)

    def reject(self, attempt_id: int, kind: str, code: str = "") -> None:
        """The carrier refuses the call of a prepared attempt."""
        with self.work() as work:
            fieldwork.note_rejected(work, self.office, attempt_id, kind, code or kind, self.now)

    def settle(self, token: str) -> bool:
        with self.work() as work:
            attempt = work.session.scalars(select(CallAttempt).where(CallAttempt.token == token)).one()
            return fieldwork.settle(work, self.office, attempt.id, self.now)

    def attempt(self, attempt_id: int) -> CallAttempt:
        with self.sessions() as session:
            return session.get_one(CallAttempt, attempt_id)

    def respondent_of(self, attempt_id: int) -> Respondent:
        with self.sessions() as session:
            return session.get_one(CallAttempt, attempt_id).respondent

    def campaign(self, campaign_id: int) -> Campaign:
        with self.sessions() as session:
            return session.get_one(Campaign, campaign_id)


@pytest.fixture
def ground(engine: Engine, keys: KeyRing, audit_key: bytes, clock: StandingClock) -> Ground:
    bureau = Bureau("某市公安局", "City Police Bureau", "12389", 3, "Asia/Shanghai")
    office = fieldwork.Office(keys, audit_key, bureau, NumberPolicy(regions=("CN",), own_numbers=(CALLER_ID, "12389"), fictitious=True))
    return Ground(engine, office, clock)
