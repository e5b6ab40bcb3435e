"""Small builders of rows for the console's tests: keyword defaults, real tables, sealed personal data."""

import hashlib
import wave
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey.disposition import Disposition
from survey.store.models import (
    Answer,
    CallAttempt,
    Campaign,
    Draw,
    Escalation,
    Incident,
    IncidentImport,
    Recording,
    Respondent,
    ScriptVersion,
    Turn,
    Unit,
)  # fmt: skip
from survey.store.sealing import KeyRing, place

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
CLOSED = datetime(2026, 10, 14, 8, 0, tzinfo=UTC)
SCORES = {"very_satisfied": 100.0, "satisfied": 75.0, "neutral": 50.0, "dissatisfied": 25.0, "very_dissatisfied": 0.0, "unsure": None}
KEYS = {code: str(n) for n, code in enumerate(SCORES, start=1)}
RATED = ("speed", "attitude", "outcome", "equipment", "appearance")


def a_unit(session: Session, name: str = "城东派出所") -> Unit:
    unit = Unit(code=hashlib.sha256(name.encode()).hexdigest()[:8], name=name)
    session.add(unit)
    session.flush()
    return unit


def an_incident(session: Session, keys: KeyRing, unit: Unit | None, n: int = 1, **changes: Any) -> Incident:
    """An incident with sealed reporter, officer, place and the fictitious number +86100 0000 <n>."""
    phone = f"+86100{n:08d}"
    row = Incident(
        public_id=hashlib.md5(f"incident {n}".encode()).hexdigest(), number=f"2026101400{n:04d}", unit_id=unit.id if unit else None,
        category="纠纷", call_type="邻里纠纷", occurred_at=CLOSED - timedelta(hours=2), arrived_at=CLOSED - timedelta(hours=2, minutes=-7),
        closed_at=CLOSED, zone="Asia/Shanghai", phone_key=keys.phone_key(phone), row_digest="0" * 64, made_up=True,
    )  # fmt: skip
    for column, text in (
        ("phone", phone),
        ("reporter", changes.pop("reporter", f"报警人{n}")),
        ("officer", f"民警{n}"),
        ("place", "东环路"),
    ):
        setattr(row, f"{column}_sealed", keys.seal(text, place("incidents", f"{column}_sealed", row.public_id)))
    for name, value in changes.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row


def a_draw(session: Session, units: list[Unit], size: int = 12, month: str = "2026-10") -> Draw:
    session.add(IncidentImport(
        file_name="2026年10月警情.xlsx", file_digest="0" * 64, mapping_name="cn", started_at=NOON - timedelta(days=2),
        finished_at=NOON - timedelta(days=2), counts={},
    ))  # fmt: skip
    allocation = [{"unit": one.code, "frame": size * 4 // len(units), "drawn": size // len(units)} for one in units]
    draw = Draw(
        month=month, size=size, minimum=2, seed=7, replicates=2, frame_count=size * 4, frame_digest="ab" * 32, program_version="1",
        allocation=allocation, exclusions={"no_number": 3}, incident_count=size * 4 + 3,
        drawn_at=NOON - timedelta(days=1),
    )  # fmt: skip
    session.add(draw)
    session.flush()
    return draw


def a_script(session: Session, name: str = "警情回访", number: int = 1, text: str = "callscript/1") -> ScriptVersion:
    version = ScriptVersion(
        name=name, number=number, language="zh-CN", text=text, digest=hashlib.sha256(f"{name}{number}{text}".encode()).hexdigest(),
        published_at=NOON - timedelta(hours=20), published_by="admin",
    )  # fmt: skip
    session.add(version)
    session.flush()
    return version


def a_campaign(session: Session, draw: Draw, script: ScriptVersion, **changes: Any) -> Campaign:
    row = Campaign(
        name="2026年10月回访", month=draw.month, draw_id=draw.id, script_version_id=script.id, state="running", lines=5,
        calls_per_second=1.0,
        caller_id="+8610055550100", simulated=True, created_at=NOON - timedelta(hours=3), started_at=NOON - timedelta(hours=2),
    )  # fmt: skip
    for name, value in changes.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row


def a_respondent(session: Session, campaign: Campaign, incident: Incident, position: int = 1, **changes: Any) -> Respondent:
    row = Respondent(
        campaign_id=campaign.id, incident_id=incident.id, unit_id=incident.unit_id, position=position, replicate=1, weight=4.0,
        phone_key=incident.phone_key, due_at=NOON,
    )  # fmt: skip
    for name, value in changes.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row


def an_attempt(
    session: Session, respondent: Respondent, number: int = 1, at: datetime = NOON - timedelta(hours=1), **changes: Any
) -> CallAttempt:
    unique = hashlib.md5(f"{respondent.id} {number}".encode()).hexdigest()
    row = CallAttempt(
        campaign_id=respondent.campaign_id, respondent_id=respondent.id, number=number, token=unique, phone_key=respondent.phone_key,
        status="completed", carrier_sid=f"CA{unique}", disposition="complete", script_version_id=respondent.campaign.script_version_id,
        claimed_at=at, requested_at=at, placed_at=at, ringing_at=at + timedelta(seconds=3), answered_at=at + timedelta(seconds=9),
        answered_by="human", ended_at=at + timedelta(seconds=130), seconds=121, settled_at=at + timedelta(seconds=131),
    )  # fmt: skip
    for name, value in changes.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row


def an_answer(session: Session, attempt: CallAttempt, item: str, code: str, **changes: Any) -> Answer:
    row = Answer(
        respondent_id=attempt.respondent_id, attempt_id=attempt.id, script_version_id=attempt.script_version_id, item=item, code=code,
        score=SCORES.get(code), raw=KEYS.get(code, "1"), mode="keys", answered_at=attempt.claimed_at + timedelta(seconds=40),
    )  # fmt: skip
    for name, value in changes.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row


def a_turn(session: Session, attempt: CallAttempt, step: int, node: str, event: dict[str, Any]) -> Turn:
    row = Turn(
        attempt_id=attempt.id, step=step, node=node, event=event, reply="<Response/>", at=attempt.claimed_at + timedelta(seconds=step * 8)
    )
    session.add(row)
    session.flush()
    return row


def a_recording(session: Session, attempt: CallAttempt, item: str = "remark", **changes: Any) -> Recording:
    unique = hashlib.md5(f"recording {attempt.id} {item}".encode()).hexdigest()
    row = Recording(
        public_id=unique, respondent_id=attempt.respondent_id, attempt_id=attempt.id, item=item, carrier_sid=f"RE{unique}",
        state="announced", seconds=6.5, announced_at=attempt.claimed_at + timedelta(seconds=120),
    )  # fmt: skip
    for name, value in changes.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row


def an_escalation(session: Session, attempt: CallAttempt, **changes: Any) -> Escalation:
    row = Escalation(
        public_id=hashlib.md5(f"case {attempt.id}".encode()).hexdigest(), respondent_id=attempt.respondent_id, attempt_id=attempt.id,
        reasons=["dissatisfied"], priority=3, consent="yes", opened_at=attempt.claimed_at + timedelta(minutes=2),
        due_at=NOON + timedelta(days=1),
    )  # fmt: skip
    for name, value in changes.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row


OUTCOMES: tuple[tuple[str, Disposition, str], ...] = (
    ("closed", Disposition.COMPLETE, "satisfied"), ("closed", Disposition.COMPLETE, "very_dissatisfied"),
    ("closed", Disposition.PARTIAL, "neutral"), ("closed", Disposition.REFUSAL, ""), ("closed", Disposition.BREAK_OFF, ""),
    ("closed", Disposition.NO_ANSWER, ""), ("closed", Disposition.LANGUAGE, ""), ("closed", Disposition.NO_SUCH_NUMBER, ""),
    ("waiting", Disposition.BUSY, ""), ("waiting", Disposition.NOT_ATTEMPTED, ""), ("calling", Disposition.NOT_ATTEMPTED, ""),
    ("closed", Disposition.COMPLETE, "very_satisfied"),
)  # fmt: skip
"""State, disposition and the code given to all five items, one row per respondent of `a_month`."""


@dataclass(frozen=True)
class Month:
    """The ids of a seeded month."""

    campaign: str
    dissatisfied: str  # respondent with a remark and a case
    incident_number: str
    phone: str
    case: str
    recording: str


def a_month(
    session: Session, keys: KeyRing, units: tuple[str, ...] = ("城东派出所", "城西派出所", "高新区派出所"), rounds: int = 1
) -> Month:
    """A campaign under way: twelve respondents per unit and round in all sorts of outcomes, one dissatisfied with a case."""
    rows = [a_unit(session, name) for name in units]
    draw = a_draw(session, rows, size=len(OUTCOMES) * len(rows) * rounds)
    campaign = a_campaign(session, draw, a_script(session))
    n, first = 0, None
    for turn in range(rounds):
        for unit in rows:
            for state, disposition, code in OUTCOMES:
                n += 1
                incident = an_incident(session, keys, unit, n)
                tries = 0 if disposition is Disposition.NOT_ATTEMPTED else 1
                respondent = a_respondent(session, campaign, incident, n, state=state, disposition=disposition.word, tries=tries,
                                          closed_at=NOON if state == "closed" else None)  # fmt: skip
                attempt = _dial(session, respondent, disposition, n) if tries else None
                if attempt is not None and code:
                    _answers(session, attempt, code, 3 if disposition is Disposition.PARTIAL else 5)
                if attempt is not None and code == "very_dissatisfied":
                    case = an_escalation(session, attempt, due_at=NOON + timedelta(days=turn - 1, hours=n))
                    first = first or (respondent, incident, attempt, case)
    assert first is not None
    respondent, incident, attempt, case = first
    _whole_call(session, attempt)
    recording = a_recording(session, attempt)
    return Month(campaign.public_id, respondent.public_id, incident.number, "+8610000000002", case.public_id, recording.public_id)


def _dial(session: Session, respondent: Respondent, disposition: Disposition, n: int) -> CallAttempt:
    answered = disposition.outcome_class in ("I", "P", "R", "O")
    at = NOON - timedelta(hours=n % 5, minutes=n % 50)
    if answered:
        return an_attempt(session, respondent, at=at, disposition=disposition.word)
    statuses = {Disposition.BUSY: "busy", Disposition.NO_ANSWER: "no_answer"}
    return an_attempt(session, respondent, at=at, disposition=disposition.word, status=statuses.get(disposition, "failed"),
                      answered_at=None, answered_by=None, seconds=0)  # fmt: skip


def _answers(session: Session, attempt: CallAttempt, code: str, count: int) -> None:
    for item in RATED[:count]:
        an_answer(session, attempt, item, code)


def _whole_call(session: Session, attempt: CallAttempt) -> None:
    an_answer(session, attempt, "consent", "yes")
    an_answer(session, attempt, "remark", "recorded", raw="#")
    a_turn(session, attempt, 0, "opening", {"event": "answered"})
    for step, item in enumerate(RATED, start=1):
        a_turn(session, attempt, step, item, {"event": "digits", "keys": "5"})
    a_turn(session, attempt, 6, "", {"event": "recorded", "carrier_sid": "RE" + "0" * 32, "seconds": 6.5, "ended_by": "#"})


def a_kept_sound(session: Session, keys: KeyRing, data: Path, recording: str, wav: bytes | None = None) -> bytes:
    """Keep a second of silence (or `wav`) for an announced recording, sealed below the data folder as the fetching job does."""
    row = session.scalars(select(Recording).where(Recording.public_id == recording)).one()
    sound = wav or _silence()
    path = Path("recordings") / recording[:2] / f"{recording}.sealed"
    (data / path).parent.mkdir(parents=True, exist_ok=True)
    (data / path).write_bytes(keys.seal_bytes(sound, place("recordings", "path", recording)))
    row.state, row.path, row.sound_digest, row.kept_at = "kept", str(path), hashlib.sha256(sound).hexdigest(), NOON
    return sound


def _silence() -> bytes:
    stream = BytesIO()
    with wave.open(stream, "wb") as sound:
        sound.setparams((1, 2, 8000, 8000, "NONE", ""))
        sound.writeframes(b"\0\0" * 8000)
    return stream.getvalue()
