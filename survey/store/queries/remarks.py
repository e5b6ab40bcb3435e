"""What becomes of remarks, asked of the database: what is to be transcribed, and what the page and the export show. Sealed stays sealed."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from survey.errors import NotFound
from survey.store.models import (
    CallAttempt,
    Campaign,
    Incident,
    Recording,
    RemarkCode,
    Respondent,
    ScriptVersion,
    Transcript,
    TranscriptCorrection,
    Unit,
)
from survey.store.queries.console_cases import PAGE, Paged, visible_respondents, within

BATCH = 200
LARGEST_ID = 2**63 - 1
UNCODED = "uncoded"
ALERTED = "danger"


@dataclass(frozen=True)
class Filters:
    """What of the remarks is asked for; None: all. `state` is one of the transcript's, or `danger`: heard, and seen by nobody yet."""

    month: str | None = None
    unit: int | None = None
    item: str | None = None
    code: str | None = None
    state: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class RemarkRow:
    """A remark as a row. `text` is the transcript's, or the last correction's (`corrected`); both sealed, for `text_place`."""

    public_id: str
    respondent: str
    incident_number: str
    unit: str | None
    month: str
    item: str
    language: str
    seconds: float | None
    state: str
    problem: str
    confidence: float | None
    text: bytes | None
    text_place: tuple[str, str]  # table, public identity
    corrected: bool
    code: "CodeRow | None"
    at: datetime


@dataclass(frozen=True)
class CodeRow:
    """One coding; place and evidence sealed."""

    public_id: str
    code: str
    hot_spot: bool
    hazard: bool
    danger: bool
    abuse: bool
    place: bytes | None
    evidence: bytes | None
    by: str
    at: datetime


@dataclass(frozen=True)
class CorrectionRow:
    """One correction; text sealed."""

    public_id: str
    text: bytes
    by: str
    at: datetime


@dataclass(frozen=True)
class RemarkDetail:
    """One remark with everything that is known of its words."""

    row: RemarkRow
    transcript: str | None  # public identity
    model: str
    machine_text: bytes | None
    words: bytes | None
    made_at: datetime | None
    tries: int
    corrections: tuple[CorrectionRow, ...]
    codes: tuple[CodeRow, ...]


def put_transcript(session: Session, values: dict[str, Any]) -> bool:
    """Add the row of a recording that is to be transcribed; False when there is one."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    once = dialect.insert(Transcript).values(values).on_conflict_do_nothing(index_elements=["recording_id"])
    return session.scalar(once.returning(Transcript.id)) is not None


def without_transcript(session: Session, since: datetime) -> list[int]:
    """Kept recordings of which nobody has noted that they are to be transcribed, oldest first.

    Looked for are those older than the first one with a transcript (newest first, until none is left), those younger than the last
    one, and those kept after `since`: a worker of the release before may have kept them meanwhile. So no table is read from end to end.
    """
    first, last = session.execute(select(func.min(Transcript.recording_id), func.max(Transcript.recording_id))).one()
    mine = select(Transcript.id).where(Transcript.recording_id == Recording.id)
    kept = select(Recording.id).where(Recording.state == "kept", ~mine.exists()).limit(BATCH)
    found = set(session.scalars(kept.where(Recording.id < (LARGEST_ID if first is None else first)).order_by(Recording.id.desc())))
    if last is not None:
        found.update(session.scalars(kept.where(Recording.id > last).order_by(Recording.id)))
    found.update(session.scalars(kept.where(Recording.kept_at > since).order_by(Recording.kept_at)))
    return sorted(found)


def due_transcripts(session: Session, now: datetime, languages: Collection[str]) -> Sequence[int]:
    """Recordings that are to be transcribed now, of the languages for which there is a model."""
    if not languages:
        return []
    due = select(Transcript.recording_id).where(Transcript.language.in_(languages), Transcript.due_at <= now)
    return session.scalars(due.order_by(Transcript.due_at, Transcript.id).limit(BATCH)).all()


def language_of(session: Session, recording: Recording) -> str:
    """The language of the script in which the recording was made, as it stands there."""
    statement = select(ScriptVersion.language).join(CallAttempt, CallAttempt.script_version_id == ScriptVersion.id)
    return session.scalars(statement.where(CallAttempt.id == recording.attempt_id)).one()


def last_code(session: Session, recording_id: int) -> RemarkCode | None:
    """The coding that holds."""
    return session.scalar(select(RemarkCode).where(RemarkCode.recording_id == recording_id).order_by(RemarkCode.id.desc()).limit(1))


def recording_of(session: Session, public_id: str, inspection: bool) -> int:
    """The id of a kept recording. Raises NotFound, also for what the visitor may not know of (R35)."""
    statement = select(Recording.id).join(Respondent, Recording.respondent_id == Respondent.id)
    mine = (Recording.public_id == public_id, Recording.state == "kept", *visible_respondents(inspection))
    found = session.scalars(statement.where(*mine)).one_or_none()
    if found is None:
        raise NotFound
    return found


def remarks(session: Session, asked: Filters, page: int, inspection: bool) -> Paged:
    """One page of remarks, newest first."""
    condition = [*_conditions(asked), *visible_respondents(inspection)]
    total = session.scalar(_joined(select(func.count(Recording.id))).where(*condition)) or 0
    number = within(page, total)
    statement = _statement().where(*condition).order_by(Recording.id.desc()).offset((number - 1) * PAGE).limit(PAGE)
    return Paged([_row(row) for row in session.execute(statement)], number, total)


def remark(session: Session, public_id: str, inspection: bool) -> RemarkDetail:
    """One remark. Raises NotFound, also for what the visitor may not know of (R35)."""
    statement = _statement().where(Recording.public_id == public_id, Recording.state == "kept", *visible_respondents(inspection))
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    recording, transcript = row.Recording, row.Transcript
    codes = session.scalars(select(RemarkCode).where(RemarkCode.recording_id == recording.id).order_by(RemarkCode.id.desc()))
    return RemarkDetail(
        _row(row), transcript and transcript.public_id, transcript.model if transcript else "",
        transcript and transcript.text_sealed, transcript and transcript.words_sealed, transcript and transcript.made_at,
        transcript.tries if transcript else 0, _corrections(session, transcript), tuple(_code_row(one) for one in codes),
    )  # fmt: skip


def choices(session: Session) -> tuple[list[str], list[tuple[int, str]], list[str], list[str]]:
    """What the filters offer: months (newest first), units, items and languages that remarks have."""
    kept = _joined(select(Campaign.month)).where(Recording.state == "kept")
    months = list(session.scalars(kept.distinct().order_by(Campaign.month.desc())))
    units = session.execute(_joined(select(Unit.id, Unit.name)).where(Recording.state == "kept", Unit.id.is_not(None)).distinct())
    items = session.scalars(select(Recording.item).where(Recording.state == "kept").distinct().order_by(Recording.item))
    languages = session.scalars(select(Transcript.language).distinct().order_by(Transcript.language))
    return months, sorted(((unit, name) for unit, name in units), key=lambda one: one[1]), list(items), list(languages)


def exported(session: Session, campaign_id: int) -> Iterator[Row[*tuple[Any, ...]]]:
    """Every remark of a campaign, for the export: rows of `_statement`, in the order of the draw."""
    mine = _statement().where(Recording.state == "kept", Respondent.campaign_id == campaign_id)
    yield from session.execute(mine.order_by(Respondent.position, Recording.id).execution_options(yield_per=BATCH))


_Code, _Later = aliased(RemarkCode, name="held"), aliased(RemarkCode, name="later")
_Corrected = aliased(TranscriptCorrection, name="corrected")


def _joined(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The remark's recording with its person, its transcript, its last correction and the coding that holds."""
    last_code_id = select(func.max(_Later.id)).where(_Later.recording_id == Recording.id).correlate(Recording).scalar_subquery()
    correction = select(func.max(TranscriptCorrection.id)).where(TranscriptCorrection.transcript_id == Transcript.id)
    return (
        statement.select_from(Recording)
        .join(Respondent, Recording.respondent_id == Respondent.id)
        .join(Campaign, Respondent.campaign_id == Campaign.id)
        .join(Incident, Respondent.incident_id == Incident.id)
        .join(CallAttempt, Recording.attempt_id == CallAttempt.id)
        .join(ScriptVersion, CallAttempt.script_version_id == ScriptVersion.id)
        .outerjoin(Unit, Respondent.unit_id == Unit.id)
        .outerjoin(Transcript, Transcript.recording_id == Recording.id)
        .outerjoin(_Code, _Code.id == last_code_id)
        .outerjoin(_Corrected, _Corrected.id == correction.correlate(Transcript).scalar_subquery())
    )


def _statement() -> Select[*tuple[Any, ...]]:
    columns = (
        Recording, Transcript, _Code, _Corrected, Respondent.public_id.label("respondent"), Incident.number.label("incident"),
        Unit.name.label("unit"), Campaign.month.label("month"), CallAttempt.number.label("attempt"),
        CallAttempt.carrier_sid.label("carrier_sid"), ScriptVersion.language.label("spoken"),
    )  # fmt: skip
    return _joined(select(*columns))


def _conditions(asked: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool] | None] = [
        Recording.state == "kept",
        Campaign.month == asked.month if asked.month else None,
        Respondent.unit_id == asked.unit if asked.unit is not None else None,
        Recording.item == asked.item if asked.item else None,
        Transcript.language == asked.language if asked.language else None,
        _of_code(asked.code) if asked.code else None,
        _of_state(asked.state) if asked.state else None,
    ]
    return [each for each in wanted if each is not None]


def _of_code(code: str) -> ColumnElement[bool]:
    return _Code.id.is_(None) if code == UNCODED else _Code.code == code


def _of_state(state: str) -> ColumnElement[bool]:
    if state == ALERTED:
        return and_(_Code.danger, _Code.by == "rules")
    if state == "waiting":
        return or_(Transcript.id.is_(None), Transcript.state == state)
    return Transcript.state == state


def _row(row: Row[*tuple[Any, ...]]) -> RemarkRow:
    recording, transcript, held, corrected = row.Recording, row.Transcript, row.held, row.corrected
    text, where = (transcript.text_sealed, ("transcripts", transcript.public_id)) if transcript else (None, ("", ""))
    if corrected is not None:
        text, where = corrected.text_sealed, ("transcript_corrections", corrected.public_id)
    return RemarkRow(
        recording.public_id, row.respondent, row.incident, row.unit, row.month, recording.item,
        transcript.language if transcript else row.spoken.partition("-")[0].lower(), recording.seconds,
        transcript.state if transcript else "waiting", transcript.problem if transcript else "",
        transcript.confidence if transcript else None, text, where, corrected is not None,
        _code_row(held) if held is not None else None, recording.kept_at or recording.announced_at,
    )  # fmt: skip


def _code_row(one: RemarkCode) -> CodeRow:
    return CodeRow(
        one.public_id, one.code, one.hot_spot, one.hazard, one.danger, one.abuse, one.place_sealed, one.evidence_sealed, one.by, one.at
    )


def _corrections(session: Session, transcript: Transcript | None) -> tuple[CorrectionRow, ...]:
    if transcript is None:
        return ()
    mine = select(TranscriptCorrection).where(TranscriptCorrection.transcript_id == transcript.id).order_by(TranscriptCorrection.id.desc())
    return tuple(CorrectionRow(one.public_id, one.text_sealed, one.by, one.at) for one in session.scalars(mine))
