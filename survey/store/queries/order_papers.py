"""What the document of an order says beyond the order itself: the person's own words, how they answered, by which script. Reads only."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey.store.models import Answer, CallAttempt, Recording, ScriptVersion, Takeover, Transcript, TranscriptCorrection

REASON = "reason"
"""The item at which a dissatisfied person is asked why."""


@dataclass(frozen=True)
class SealedQuote:
    """What a person said, sealed for a row's `column` of `table`; `confidence` is None where a person has written it down.

    `by_operator`: it is what the operator noted of the talk.
    """

    table: str
    public_id: str
    text: bytes | None
    confidence: float | None
    column: str = "text_sealed"
    by_operator: bool = False


def quotes(session: Session, respondent_id: int) -> list[SealedQuote]:
    """What the person gave as reason, in the order in which it was said: corrected where somebody has listened, else by the machine."""
    last = select(func.max(TranscriptCorrection.id)).where(TranscriptCorrection.transcript_id == Transcript.id).correlate(Transcript)
    told = (
        select(Transcript, TranscriptCorrection)
        .join(Recording, Transcript.recording_id == Recording.id)
        .outerjoin(TranscriptCorrection, TranscriptCorrection.id == last.scalar_subquery())
        .where(Recording.respondent_id == respondent_id, Recording.item == REASON, Recording.state == "kept")
        .order_by(Recording.id)
    )
    found = []
    for transcript, correction in session.execute(told):
        if correction is not None:
            found.append(SealedQuote(correction.__tablename__, correction.public_id, correction.text_sealed, None))
        elif transcript.text_sealed is not None:
            found.append(SealedQuote(transcript.__tablename__, transcript.public_id, transcript.text_sealed, transcript.confidence or 0.0))
    return found


def notes(session: Session, respondent_id: int) -> list[SealedQuote]:
    """What operators noted of their talks with the person when they gave the case to the unit, in the order of the talks."""
    told = select(Takeover.public_id, Takeover.remark_sealed).join(Takeover.attempt).order_by(Takeover.id)
    mine = told.where(CallAttempt.respondent_id == respondent_id, Takeover.verdict == "order", Takeover.remark_sealed.is_not(None))
    return [SealedQuote("takeovers", public_id, text, None, "remark_sealed", by_operator=True) for public_id, text in session.execute(mine)]


def modes(session: Session, respondent_id: int) -> tuple[str, ...]:
    """The ways in which the person's answers came, in the order of their first use."""
    given = session.scalars(select(Answer.mode).where(Answer.respondent_id == respondent_id).order_by(Answer.id))
    return tuple(dict.fromkeys(given))


def script_name(session: Session, version_id: int) -> str:
    """Name and number of a version of a script."""
    version = session.get_one(ScriptVersion, version_id)
    return f"{version.name} v{version.number}"
