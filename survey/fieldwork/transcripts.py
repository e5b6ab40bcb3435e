"""What was said in a recording, as text: ordered when the sound is kept, made by a job, coded by rules, corrected by people.

    kept ─▶ waiting ─┬─ understood ──▶ done ──▶ coded; danger and abuse go to a person (R34, R35)
              ▲      ├─ failed ──────▶ waiting, later; after three tries needs_review
              │      └─ nothing heard, no sound ──▶ needs_review
            no_model (until one is installed for the language)

The sound stays whatever becomes of the text (R32). Words that the person takes back leave no text either.
"""

import json
import uuid
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey import coding
from survey.alarms import AlarmKind
from survey.disposition import Disposition
from survey.errors import BadInput
from survey.fieldwork.alarms import clear_alarm, raise_alarm
from survey.fieldwork.campaigns import finish_if_done
from survey.fieldwork.escalations import escalate
from survey.fieldwork.office import Office
from survey.fieldwork.settlement import decide_next
from survey.store.leases import hold
from survey.store.models import CallAttempt, Recording, RemarkCode, Transcript, TranscriptCorrection
from survey.store.queries import remarks as queries
from survey.store.sealing import place
from survey.store.unit_of_work import UnitOfWork

TRIES = 3
PAUSES = (timedelta(seconds=30), timedelta(minutes=5), timedelta(minutes=30))
"""How long after its beginning a try counts as dead, and is followed by the next one."""

STOCK_EVERY, STOCK_BACK = timedelta(minutes=1), timedelta(days=7)
RULES = "rules"
LONGEST_TEXT, LONGEST_PLACE = 2000, 100


@dataclass(frozen=True)
class TranscriptionOrder:
    """What the transcribing job needs: where the sound lies below the data folder, and the language (zh, en)."""

    recording_id: int
    public_id: str
    path: str
    language: str


@dataclass(frozen=True)
class Verbatim:
    """What a recogniser has understood: (word, start, end, confidence) in order; seconds from the beginning, 0.0 to 1.0."""

    words: tuple[tuple[str, float, float, float], ...]
    model: str

    @property
    def text(self) -> str:
        """As people write it."""
        return coding.readable(" ".join(word for word, *_ in self.words))

    @property
    def confidence(self) -> float | None:
        """The mean over the words; None when there is none."""
        return sum(word[3] for word in self.words) / len(self.words) if self.words else None


@dataclass(frozen=True)
class Judgement:
    """How a person codes a remark."""

    code: str
    hot_spot: bool
    hazard: bool
    place: str = ""


# ── ordering ─────────────────────────────────────────────────────────────────────────────────────────


def order_transcript(work: UnitOfWork, recording_id: int, languages: Container[str], now: datetime) -> None:
    """Note that a kept recording is to be transcribed, and wake the job where there is a model; again: nothing."""
    session = work.session
    recording = session.get_one(Recording, recording_id)
    if recording.state != "kept":
        return
    session.flush()
    language = queries.language_of(session, recording).partition("-")[0].lower()
    is_able = language in languages
    values = {"recording_id": recording_id, "language": language, "state": "waiting" if is_able else "no_model", "due_at": now}
    if queries.put_transcript(session, values) and is_able:
        work.later("transcribe", recording_id)


def take_stock(work: UnitOfWork, languages: Container[str], now: datetime) -> None:
    """Once a minute: order what nobody has ordered, such as recordings that a release before this one has kept."""
    if hold(work.session, "transcripts", now.isoformat(), now, STOCK_EVERY):
        for recording_id in queries.without_transcript(work.session, now - STOCK_BACK):
            order_transcript(work, recording_id, languages, now)


# ── the job ──────────────────────────────────────────────────────────────────────────────────────────


def prepare_transcription(work: UnitOfWork, recording_id: int, languages: Container[str], now: datetime) -> TranscriptionOrder | None:
    """What the transcribing job must do, or None when the work is done, not yet due, or there is no model; counts the try."""
    recording = work.session.get(Recording, recording_id, with_for_update=True)
    transcript = _transcript(work.session, recording_id)
    if recording is None or transcript is None or recording.state != "kept" or not recording.path:
        return None
    if transcript.due_at is None or transcript.due_at > now:
        return None
    if transcript.language not in languages:  # no failure: it waits for the model to be installed
        transcript.state = "no_model"
        return None
    if transcript.tries >= TRIES:  # the last try has told nothing: what it did has killed its process
        _give_up(transcript, "died")
        return None
    transcript.state, transcript.due_at = "waiting", now + PAUSES[transcript.tries]
    transcript.tries += 1
    return TranscriptionOrder(recording_id, recording.public_id, recording.path, transcript.language)


def note_transcribed(work: UnitOfWork, office: Office, recording_id: int, heard: Verbatim, now: datetime) -> bool:
    """Store what was understood, once, and code it; False when it is there already or the words were taken back meanwhile."""
    session = work.session
    attempt, recording = _locked(session, recording_id)
    transcript = _transcript(session, recording_id)
    if recording.state != "kept" or transcript is None or transcript.state != "waiting":
        return False
    transcript.made_at, transcript.model, transcript.confidence = now, heard.model[:128], heard.confidence
    transcript.words_sealed = _sealed(office, transcript, "words_sealed", json.dumps(heard.words, ensure_ascii=False))
    transcript.text_sealed = _sealed(office, transcript, "text_sealed", heard.text)
    if not heard.text:
        _give_up(transcript, "nothing_heard")
        return True
    transcript.state, transcript.due_at, transcript.problem = "done", None, ""
    found = _coding(session, office, recording, attempt, heard.text, transcript.language)
    _add_code(session, office, recording, found, RULES, now)
    _alert(session, office, recording, attempt, found, now)
    return True


def note_transcription_problem(work: UnitOfWork, recording_id: int, problem: str, *, final: bool = False) -> None:
    """The try failed; after the last one, or when it can never succeed, a person must listen."""
    work.session.get_one(Recording, recording_id, with_for_update=True)
    transcript = _transcript(work.session, recording_id)
    if transcript is None or transcript.state != "waiting":
        return
    transcript.problem = problem[:128]
    if final or transcript.tries >= TRIES:
        _give_up(transcript, problem)


def forget_transcript(work: UnitOfWork, recording_id: int, now: datetime) -> None:
    """The person has taken the words back: what was made of them goes with the sound."""
    session = work.session
    recording = session.get_one(Recording, recording_id, with_for_update=True)
    if recording.state != "discarded":
        return
    mine = select(Transcript.id).where(Transcript.recording_id == recording_id)
    session.execute(delete(TranscriptCorrection).where(TranscriptCorrection.transcript_id.in_(mine)))
    session.execute(delete(Transcript).where(Transcript.recording_id == recording_id))
    session.execute(delete(RemarkCode).where(RemarkCode.recording_id == recording_id))
    clear_alarm(session, AlarmKind.DANGER_SAID, _subject(recording), now)


# ── people ───────────────────────────────────────────────────────────────────────────────────────────


def correct(work: UnitOfWork, office: Office, recording_id: int, text: str, by: str, now: datetime) -> None:
    """Put what a person hears beside the machine's version, and let the rules read it; a person's coding stays.

    Where the person heard no danger, the alarm that the machine's version raised ends. Raises BadInput for no text, and for more
    than 2,000 characters.
    """
    text = " ".join(text.split())
    if not text or len(text) > LONGEST_TEXT:
        raise BadInput(f"请填写 1 至 {LONGEST_TEXT} 个字 / 1 to {LONGEST_TEXT} characters are needed", "text")
    session = work.session
    order_transcript(work, recording_id, (), now)
    attempt, recording = _locked(session, recording_id)
    transcript = session.scalars(select(Transcript).where(Transcript.recording_id == recording_id)).one()
    transcript.state, transcript.due_at, transcript.problem = "done", None, ""
    correction = TranscriptCorrection(transcript_id=transcript.id, public_id=_fresh_id(), by=by, at=now)
    correction.text_sealed = office.keys.seal_bytes(text.encode(), place("transcript_corrections", "text_sealed", correction.public_id))
    session.add(correction)
    found, held = _coding(session, office, recording, attempt, text, transcript.language), queries.last_code(session, recording_id)
    if held is None or held.by == RULES:
        _add_code(session, office, recording, found, RULES, now)
    if not found.danger:
        clear_alarm(session, AlarmKind.DANGER_SAID, _subject(recording), now)
    _alert(session, office, recording, attempt, found, now)
    office.record(session, now, by, "remark.correct", _subject(recording))


def recode(work: UnitOfWork, office: Office, recording_id: int, judged: Judgement, by: str, now: datetime) -> None:
    """A person's coding holds from now on; the one who codes has read the remark, so its alarm ends.

    Raises BadInput for an unknown class, and for a place of more than 100 characters.
    """
    if judged.code not in coding.CLASSES:
        raise BadInput(f"类别须为 {'、'.join(coding.CLASSES)} / the class must be one of {', '.join(coding.CLASSES)}", "code")
    where = " ".join(judged.place.split())
    if len(where) > LONGEST_PLACE:
        raise BadInput(f"地点不超过 {LONGEST_PLACE} 个字 / a place has {LONGEST_PLACE} characters at most", "place")
    session = work.session
    recording, held = session.get_one(Recording, recording_id, with_for_update=True), queries.last_code(session, recording_id)
    danger, abuse = (held.danger, held.abuse) if held else (False, False)
    found = coding.Coding(judged.code, judged.hot_spot, judged.hazard, danger, abuse, where)
    _add_code(session, office, recording, found, by, now)
    clear_alarm(session, AlarmKind.DANGER_SAID, _subject(recording), now)
    office.record(session, now, by, "remark.code", _subject(recording), before=held.code if held else "", after=judged.code)


# ── common to all ────────────────────────────────────────────────────────────────────────────────────


def _locked(session: Session, recording_id: int) -> tuple[CallAttempt, Recording]:
    """The rows in the order in which a turn of the call locks them."""
    attempt_id = session.scalars(select(Recording.attempt_id).where(Recording.id == recording_id)).one()
    attempt = session.get_one(CallAttempt, attempt_id, with_for_update=True)
    return attempt, session.get_one(Recording, recording_id, with_for_update=True, populate_existing=True)


def _fresh_id() -> str:
    """A public identity that is known before the row is written, because sealed values are bound to it."""
    return uuid.uuid4().hex


def _transcript(session: Session, recording_id: int) -> Transcript | None:
    return session.scalar(select(Transcript).where(Transcript.recording_id == recording_id).with_for_update())


def _give_up(transcript: Transcript, problem: str) -> None:
    transcript.state, transcript.due_at, transcript.problem = "needs_review", None, problem[:128]


def _sealed(office: Office, transcript: Transcript, column: str, text: str) -> bytes | None:
    return office.keys.seal(text, place(Transcript.__tablename__, column, transcript.public_id))


def _subject(recording: Recording) -> str:
    return f"recording:{recording.public_id}"


def _coding(session: Session, office: Office, recording: Recording, attempt: CallAttempt, text: str, language: str) -> coding.Coding:
    script = office.script(session, attempt.script_version_id)
    return coding.code(text, language, script.danger_words, about_police=recording.item == "reason")


def _add_code(session: Session, office: Office, recording: Recording, found: coding.Coding, by: str, now: datetime) -> None:
    row = RemarkCode(
        public_id=_fresh_id(), recording_id=recording.id, code=found.code, hot_spot=found.hot_spot, hazard=found.hazard,
        danger=found.danger, abuse=found.abuse, by=by, at=now,
    )  # fmt: skip
    evidence: Sequence[tuple[str, str]] = [(each.kind, each.word) for each in found.evidence]
    for column, text in (("place", found.place), ("evidence", json.dumps(evidence, ensure_ascii=False) if evidence else "")):
        sealed = office.keys.seal(text or None, place(RemarkCode.__tablename__, f"{column}_sealed", row.public_id))
        setattr(row, f"{column}_sealed", sealed)
    session.add(row)
    session.flush()


def _alert(session: Session, office: Office, recording: Recording, attempt: CallAttempt, found: coding.Coding, now: datetime) -> None:
    """Bring danger and abuse before a person, in the transaction in which the words are stored."""
    if found.abuse:
        escalate(session, office, attempt, "abuse_alleged", now)
    if found.danger:
        escalate(session, office, attempt, "danger", now)
        raise_alarm(session, AlarmKind.DANGER_SAID, _subject(recording), now)
        _stop_calling(session, office, attempt, now)


def _stop_calling(session: Session, office: Office, attempt: CallAttempt, now: datetime) -> None:
    """Who is in danger is not rung by the machine again; a call that brought no interview ends as 2.35 (R34).

    An interview stays one: it was not stopped. A call that goes on, or is not settled yet, meets the case when it is.
    """
    if attempt.settled_at is None or attempt.respondent.state == "calling":
        return
    if attempt.disposition and Disposition.from_word(attempt.disposition).outcome_class not in ("I", "P"):
        attempt.disposition = Disposition.CIRCUMSTANCES.word
    session.flush()
    decide_next(session, attempt, now)
    finish_if_done(session, office, attempt.campaign, now)
