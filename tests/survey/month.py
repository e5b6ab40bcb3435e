"""A month in the tables: a builder for tests and benchmarks of sheet and exports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from survey.disposition import Disposition
from survey.scoring import ITEMS
from survey.store.models import Answer, CallAttempt, Campaign, Draw, Escalation, Incident, Respondent, ScriptVersion, Unit
from survey.store.sealing import KeyRing, place

MARCH = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
POINTS = {"very_satisfied": 100.0, "satisfied": 75.0, "neutral": 50.0, "dissatisfied": 25.0, "very_dissatisfied": 0.0, "unsure": None}
KEYS = {code: str(number) for number, code in enumerate(POINTS, start=1)}


@dataclass
class Month:
    """Adds one campaign with its draw to `session`; units are made as they are named."""

    session: Session
    keys: KeyRing
    frame: Mapping[str, int]
    name: str = "2026-02 回访"
    month: str = "2026-02"
    simulated: bool = False
    state: str = "finished"
    units: dict[str, Unit] = field(default_factory=dict)
    placed: int = 0

    def __post_init__(self) -> None:
        for unit in self.frame:
            self._unit(unit)
        self.script = self.session.query(ScriptVersion).first() or ScriptVersion(
            name="callback-zh", number=1, language="zh", text="steps: []", digest="5" * 64, published_at=MARCH, published_by="test"
        )
        frame = sum(self.frame.values())
        draw = Draw(
            month=self.month, size=frame, minimum=1, seed=7, replicates=10, frame_count=frame, frame_digest="f" * 64, program_version="1",
            allocation=[{"unit": self.units[unit].code, "frame": count, "drawn": count} for unit, count in self.frame.items()],
            exclusions={"cancelled": 4, "no_number": 2}, incident_count=frame + 6, drawn_at=MARCH,
        )  # fmt: skip
        self.campaign = Campaign(
            name=self.name, month=self.month, draw=draw, script_version=self.script, state=self.state, lines=5, calls_per_second=1.0,
            caller_id="+861000000000", simulated=self.simulated, created_at=MARCH,
        )  # fmt: skip
        self.session.add(self.campaign)
        self.session.flush()

    def _unit(self, name: str) -> Unit:
        known = self.session.query(Unit).filter_by(name=name).first()
        self.units[name] = known or Unit(code=f"U-{name}", name=name)
        self.session.add(self.units[name])
        self.session.flush()
        return self.units[name]

    def person(
        self, unit: str, disposition: Disposition, codes: Sequence[str] = (), *, state: str = "closed", number: str = "", asked: str = ""
    ) -> Respondent:
        """A respondent with one attempt who gave `codes` to the items in their order, and `asked` to the question of interference."""
        self.placed += 1
        incident = self._incident(unit, number or f"{self.name}-{self.placed:05d}")
        respondent = Respondent(
            campaign=self.campaign, incident=incident, unit=self.units[unit], position=self.placed, replicate=1, weight=1.0,
            phone_key=incident.phone_key, state=state, disposition=disposition.word,
        )  # fmt: skip
        self.session.add(respondent)
        self.session.flush()
        if disposition is not Disposition.NOT_ATTEMPTED:
            attempt = self._attempt(respondent, disposition)
            self._answers(respondent, attempt, codes)
            if asked:
                self._answer(respondent, attempt, item="interference", code=asked, raw="2" if asked == "yes" else "1")
        return respondent

    def _incident(self, unit: str, number: str) -> Incident:
        public_id = f"{self.placed:028x}{self.campaign.id:04x}"
        phone = f"+86100{self.placed:08d}"
        incident = Incident(
            public_id=public_id, number=number, unit=self.units[unit], category="theft", occurred_at=MARCH - timedelta(days=20),
            closed_at=MARCH - timedelta(days=19), zone="Asia/Shanghai", row_digest="0" * 64, phone_key=self.keys.phone_key(phone),
            phone_sealed=self.keys.seal(phone, place("incidents", "phone_sealed", public_id)),
            reporter_sealed=self.keys.seal("王小明", place("incidents", "reporter_sealed", public_id)),
        )  # fmt: skip
        self.session.add(incident)
        return incident

    def _attempt(self, respondent: Respondent, disposition: Disposition) -> CallAttempt:
        at = MARCH + timedelta(minutes=self.placed)
        attempt = CallAttempt(
            campaign=self.campaign, respondent=respondent, number=1, token=f"{self.campaign.id:04x}{self.placed:028x}",
            phone_key=respondent.phone_key, status="completed", carrier_sid=f"CA{self.campaign.id:04x}{self.placed:028x}",
            disposition=disposition.word, script_version_id=self.script.id, claimed_at=at, requested_at=at, answered_at=at,
            ended_at=at + timedelta(seconds=90), seconds=90,
        )  # fmt: skip
        self.session.add(attempt)
        self.session.flush()
        return attempt

    def _answers(self, respondent: Respondent, attempt: CallAttempt, codes: Sequence[str]) -> None:
        for item, code in zip(ITEMS, codes, strict=False):
            self._answer(respondent, attempt, item=item, code=code, score=POINTS[code], raw=KEYS[code])
        if {"dissatisfied", "very_dissatisfied"} & set(codes):
            self.session.add(Escalation(
                respondent_id=respondent.id, attempt_id=attempt.id, reasons=["dissatisfied"], priority=3,
                consent="yes" if self.placed % 2 else "no", opened_at=MARCH,
            ))  # fmt: skip
        self.session.flush()

    def _answer(self, respondent: Respondent, attempt: CallAttempt, **given: str | float | None) -> None:
        self.session.add(Answer(
            respondent_id=respondent.id, attempt_id=attempt.id, script_version_id=self.script.id, mode="keys",
            answered_at=MARCH + timedelta(minutes=self.placed), **given,
        ))  # fmt: skip
        self.session.flush()
