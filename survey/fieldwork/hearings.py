"""What people say at the questions: which question is in force, and what was heard there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey import flow
from survey.fieldwork.office import Office
from survey.script import Question, RecordStep, Script
from survey.store.models import CallAttempt, Hearing
from survey.store.sealing import place

SURE = 0.95
"""From this confidence on, only some utterances are kept for a person to check; all less certain ones are."""

SHARE_OF_SURE = 0.05
OUTCOMES = ("accepted", "doubted", "unclear", "late")


@dataclass(frozen=True)
class Asked:
    """The question that waits on a line. `is_doubt`: what was heard there is being asked back, yes or no."""

    attempt_id: int
    script: Script
    question: Question
    is_doubt: bool


@dataclass(frozen=True)
class Spoken:
    """What was heard at a step, and what became of it (a word of OUTCOMES). `code` is None for nothing that means something.

    `latency_ms` runs from the end of the speech to the decision; `sound` is 8 kHz mu-law, as long as `seconds`.
    """

    code: str | None
    confidence: float
    evidence: str
    outcome: str
    latency_ms: int
    seconds: float
    sound: bytes


def asked_at(session: Session, office: Office, token: str, step: int, call_sid: str) -> Asked | None:
    """The question for which a stream may be listened to; None when it is not this call's, not in force, or wants no words."""
    attempt = session.scalar(select(CallAttempt).where(CallAttempt.token == token))
    if attempt is None or attempt.carrier_sid != call_sid or attempt.step != step or attempt.settled_at is not None:
        return None
    state = flow.State.from_json(attempt.flow_state) if attempt.flow_state else None
    script = office.script(session, attempt.script_version_id)
    if state is None or state.ended or not state.node or state.keys_only or not office.understands(script):
        return None
    question = script.question(state.node)
    return None if isinstance(question, RecordStep) else Asked(attempt.id, script, question, state.doubted is not None)


def note_hearing(session: Session, office: Office, asked: Asked, step: int, heard: Spoken, now: datetime) -> None:
    """Write down what was heard; the sound is kept sealed where a person shall listen to it."""
    row = Hearing(
        attempt_id=asked.attempt_id, step=step, node=asked.question.id, item=asked.question.item, language=asked.script.language,
        code=heard.code, confidence=heard.confidence, evidence=heard.evidence[:128], outcome=heard.outcome, latency_ms=heard.latency_ms,
        seconds=heard.seconds, at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    if _shall_be_checked(heard, int(row.public_id[:8], 16) / 2**32):
        row.sound_sealed = office.keys.seal_bytes(heard.sound, place(Hearing.__tablename__, "sound_sealed", row.public_id))


def _shall_be_checked(heard: Spoken, chance: float) -> bool:
    """Every utterance that is not certain, and a share of the certain ones, so that the rate of errors can be told."""
    return bool(heard.sound) and (heard.confidence < SURE or chance < SHARE_OF_SURE)
