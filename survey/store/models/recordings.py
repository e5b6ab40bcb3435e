"""What people said: the sound, what the machine understood, and what people made of it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey.store.models.base import Base, Id, public_id
from survey.store.models.calls import CallAttempt


class Recording(Base):
    """The person's own words on one item. `state`: announced, kept, discarded, needs_review. The sound lies sealed in `path`."""

    __tablename__ = "recordings"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    respondent_id: Mapped[int] = mapped_column(ForeignKey("respondents.id"), index=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"))
    item: Mapped[str] = mapped_column(String(32))
    carrier_sid: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(16), default="announced")
    problem: Mapped[str] = mapped_column(String(128), default="")
    fetch_tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(index=True)  # asked for by every sweep
    seconds: Mapped[float | None]
    path: Mapped[str | None] = mapped_column(String(255))  # below the data folder
    sound_digest: Mapped[str | None] = mapped_column(String(64))
    announced_at: Mapped[datetime]
    kept_at: Mapped[datetime | None] = mapped_column(index=True)
    carrier_copy_deleted_at: Mapped[datetime | None]
    attempt: Mapped[CallAttempt] = relationship()


class Hearing(Base):
    """One utterance at a question of a call, as the machine has understood it.

    `code` is a choice of the question or a command, None for nothing; `outcome`: accepted, doubted (to be confirmed by key), unclear,
    late (a key came first). `latency_ms` is the time from the end of the speech to the decision. The sound, 8 kHz mu-law, lies sealed
    in `sound_sealed` where a person shall check it.
    """

    __tablename__ = "hearings"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("call_attempts.id"), index=True)
    step: Mapped[int]
    node: Mapped[str] = mapped_column(String(64))
    item: Mapped[str] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(16))
    code: Mapped[str | None] = mapped_column(String(32))
    confidence: Mapped[float]
    evidence: Mapped[str] = mapped_column(String(128))
    outcome: Mapped[str] = mapped_column(String(16))
    latency_ms: Mapped[int]
    seconds: Mapped[float]
    sound_sealed: Mapped[bytes | None]
    at: Mapped[datetime] = mapped_column(index=True)
    attempt: Mapped[CallAttempt] = relationship()


class HearingReview(Base):
    """What a person heard in an utterance: `code` as in `Hearing`, None when nothing can be made out.

    Never changed; the last one counts.
    """

    __tablename__ = "hearing_reviews"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    hearing_id: Mapped[int] = mapped_column(ForeignKey("hearings.id"), index=True)
    code: Mapped[str | None] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    hearing: Mapped[Hearing] = relationship()


class Transcript(Base):
    """What the machine has understood of a recording. `state`: waiting, no_model, done, needs_review; the sound stays whatever comes.

    Text and words are the person's own, so they are sealed; `words_sealed` is JSON: [[word, start, end, confidence], ...].
    """

    __tablename__ = "transcripts"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"), unique=True)
    language: Mapped[str] = mapped_column(String(16))  # zh, en: the first part of the script's
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(128), default="")
    model: Mapped[str] = mapped_column(String(128), default="")
    confidence: Mapped[float | None]  # mean over the words; None: nothing was understood
    text_sealed: Mapped[bytes | None]
    words_sealed: Mapped[bytes | None]
    made_at: Mapped[datetime | None]
    recording: Mapped[Recording] = relationship()
    __table_args__ = (Index(None, "language", "due_at"),)


class TranscriptCorrection(Base):
    """What a person heard in the recording instead; the machine's version stays, and so does each earlier correction."""

    __tablename__ = "transcript_corrections"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    transcript_id: Mapped[int] = mapped_column(ForeignKey("transcripts.id"), index=True)
    text_sealed: Mapped[bytes]
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class RemarkCode(Base):
    """One coding of a remark, by the rules or by a person; the last one holds (R62).

    `code` is a word of survey.coding.CLASSES; `evidence_sealed` is JSON: [[kind, word], ...], the words that led to it.
    """

    __tablename__ = "remark_codes"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), default=public_id, unique=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recordings.id"), index=True)
    code: Mapped[str] = mapped_column(String(16))
    hot_spot: Mapped[bool]
    hazard: Mapped[bool]
    danger: Mapped[bool]
    abuse: Mapped[bool]
    place_sealed: Mapped[bytes | None]
    evidence_sealed: Mapped[bytes | None]
    by: Mapped[str] = mapped_column(String(64))  # "rules", or the user
    at: Mapped[datetime]
