"""What came from the person in one call, asked of the database. Sealed stays sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey.store.models import Hearing, Recording, RemarkCode, Transcript, TranscriptCorrection, Turn
from survey.store.queries.remarks import last_code


@dataclass(frozen=True)
class SaidRow:
    """The person's own words on one item, with what was made of them so far."""

    recording: Recording
    transcript: Transcript | None
    correction: TranscriptCorrection | None
    code: RemarkCode | None


def turns_of(session: Session, attempt_id: int) -> Sequence[Turn]:
    """The round trips of a call in order."""
    return session.scalars(select(Turn).where(Turn.attempt_id == attempt_id).order_by(Turn.step)).all()


def hearings_of(session: Session, attempt_id: int) -> Sequence[Hearing]:
    """What was understood of the person's answers, in order."""
    return session.scalars(select(Hearing).where(Hearing.attempt_id == attempt_id).order_by(Hearing.at, Hearing.id)).all()


def words_of(session: Session, attempt_id: int) -> list[SaidRow]:
    """The recordings of a call that were not taken back, in order."""
    wanted = (
        select(Recording, Transcript).outerjoin(Transcript, Transcript.recording_id == Recording.id)
        .where(Recording.attempt_id == attempt_id, Recording.state != "discarded").order_by(Recording.announced_at, Recording.id)
    )  # fmt: skip
    return [
        SaidRow(recording, transcript, _correction(session, transcript), last_code(session, recording.id))
        for recording, transcript in session.execute(wanted)
    ]


def _correction(session: Session, transcript: Transcript | None) -> TranscriptCorrection | None:
    if transcript is None:
        return None
    mine = select(TranscriptCorrection).where(TranscriptCorrection.transcript_id == transcript.id)
    return session.scalars(mine.order_by(TranscriptCorrection.id.desc()).limit(1)).one_or_none()


def danger_heard_at(session: Session, attempt_id: int) -> datetime | None:
    """When words of danger were found last in what the person has said in this call; None where there are none."""
    found = select(func.max(RemarkCode.at)).join(Recording, RemarkCode.recording_id == Recording.id)
    return session.scalar(found.where(Recording.attempt_id == attempt_id, RemarkCode.danger, RemarkCode.by == "rules"))
