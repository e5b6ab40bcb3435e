"""What the document of an order says beyond the order itself: the person's own words, how they answered, by which script. Reads only."""

from dataclasses import dataclass, replace

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from survey.store.models import (
    Answer,
    CallAttempt,
    Order,
    Recall,
    Recording,
    RemarkCode,
    ScriptVersion,
    Takeover,
    Transcript,
    TranscriptCorrection,
)

REASON = "reason"
"""The item at which a dissatisfied person is asked why."""


@dataclass(frozen=True)
class SealedQuote:
    """What a person said, sealed for a row's `column` of `table`; `confidence` is None where a person has written it down.

    `text` is None where there is a sound and no text of it, or none yet. `by_operator`: it is what the operator noted of the talk.
    `round` is that of the answer about which the person was called again, 0 for the survey's call; `recording` names the sound that
    can be listened to.
    """

    table: str
    public_id: str
    text: bytes | None
    confidence: float | None
    column: str = "text_sealed"
    by_operator: bool = False
    round: int = 0
    recording: str = ""


def quotes(session: Session, order: Order, *, alleged: bool) -> list[SealedQuote]:
    """What the person gave as reason, in the survey and in each second call: corrected where somebody has listened, else by the machine.

    With `alleged` also other remarks in which an allegation of abuse was found. In the order in which it was said.
    """
    rounds = _rounds(session, order)
    last = select(func.max(TranscriptCorrection.id)).where(TranscriptCorrection.transcript_id == Transcript.id).correlate(Transcript)
    accusing = select(RemarkCode.id).where(RemarkCode.recording_id == Recording.id, RemarkCode.abuse).exists()
    told = (
        select(Recording, Transcript, TranscriptCorrection)
        .outerjoin(Transcript, Transcript.recording_id == Recording.id)
        .outerjoin(TranscriptCorrection, TranscriptCorrection.id == last.scalar_subquery())
        .where(Recording.respondent_id.in_(rounds), Recording.state != "discarded")
        .where(or_(Recording.item == REASON, accusing) if alleged else Recording.item == REASON)
        .order_by(Recording.id)
    )
    return [_quote(rounds[recording.respondent_id], recording, text, mended) for recording, text, mended in session.execute(told)]


def _rounds(session: Session, order: Order) -> dict[int, int]:
    """The respondents that the order's person is: of the survey in round 0, and of each second call."""
    again = session.execute(select(Recall.respondent_id, Recall.round).where(Recall.order_id == order.id))
    return {order.respondent_id: 0, **dict(again.all())}


def _quote(number: int, recording: Recording, transcript: Transcript | None, correction: TranscriptCorrection | None) -> SealedQuote:
    sound = recording.public_id if recording.state == "kept" else ""
    if correction is not None:
        written = SealedQuote(correction.__tablename__, correction.public_id, correction.text_sealed, None)
    elif transcript is not None:
        written = SealedQuote(transcript.__tablename__, transcript.public_id, transcript.text_sealed, transcript.confidence or 0.0)
    else:
        written = SealedQuote(Transcript.__tablename__, "", None, 0.0)
    return replace(written, round=number, recording=sound)


def notes(session: Session, order: Order) -> list[SealedQuote]:
    """What operators noted of their talks with the person when they gave the case to the unit, first or again; in their order."""
    rounds = _rounds(session, order)
    told = select(Takeover.public_id, Takeover.remark_sealed, CallAttempt.respondent_id).join(Takeover.attempt).order_by(Takeover.id)
    told = told.where(CallAttempt.respondent_id.in_(rounds), Takeover.verdict == "order", Takeover.remark_sealed.is_not(None))
    return [
        SealedQuote("takeovers", public_id, text, None, "remark_sealed", by_operator=True, round=rounds[respondent_id])
        for public_id, text, respondent_id in session.execute(told)
    ]


def modes(session: Session, respondent_id: int) -> tuple[str, ...]:
    """The ways in which the person's answers came, in the order of their first use."""
    given = session.scalars(select(Answer.mode).where(Answer.respondent_id == respondent_id).order_by(Answer.id))
    return tuple(dict.fromkeys(given))


def script_name(session: Session, version_id: int) -> str:
    """Name and number of a version of a script."""
    version = session.get_one(ScriptVersion, version_id)
    return f"{version.name} v{version.number}"
