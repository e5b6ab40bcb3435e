"""What the console's call pages ask of the database. Sealed columns stay sealed here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from survey.disposition import Disposition
from survey.errors import NotFound
from survey.store.models import (
    Answer,
    CallAttempt,
    Campaign,
    DispositionChange,
    Incident,
    Recording,
    Respondent,
    ScriptVersion,
    Turn,
    Unit,
)
from survey.store.queries.console_cases import PAGE, CaseRow, Paged, case_of, visible_respondents, within


@dataclass(frozen=True)
class RespondentRow:
    """A drawn person as a row of the campaign's call list."""

    public_id: str
    position: int
    incident_number: str
    unit: str | None
    state: str
    disposition: str
    tries: int
    last_at: datetime | None
    due_at: datetime | None
    booked_for: datetime | None
    review_reason: str


@dataclass(frozen=True)
class SealedIncident:
    """The incident of a call; personal data as stored, with the identity that they are bound to."""

    public_id: str
    number: str
    category: str
    call_type: str
    occurred_at: datetime
    arrived_at: datetime | None
    closed_at: datetime
    made_up: bool
    phone: bytes | None
    reporter: bytes | None
    officer: bytes | None
    place: bytes | None


@dataclass(frozen=True)
class AttemptRow:
    """One dialling. `purpose` is a word of `callback_rules`: the machine's interview, or an operator's call back."""

    number: int
    direction: str
    purpose: str
    status: str
    disposition: str | None
    answered_by: str | None
    error: str
    carrier_sid: str | None
    requested_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    seconds: int | None
    abandoned: bool
    turns: tuple["TurnRow", ...]


@dataclass(frozen=True)
class TurnRow:
    """One round trip of a call: what came (`kind`, `keys`) and the question that waited after it."""

    step: int
    at: datetime
    kind: str
    keys: str
    node: str


@dataclass(frozen=True)
class AnswerRow:
    """One answer with its provenance."""

    item: str
    code: str
    score: float | None
    raw: str
    mode: str
    confidence: float | None
    script_name: str
    script_number: int
    at: datetime
    attempt_number: int
    carrier_sid: str | None


@dataclass(frozen=True)
class RecordingRow:
    """The person's own words on one item."""

    public_id: str
    item: str
    state: str
    problem: str
    seconds: float | None
    announced_at: datetime
    attempt_number: int


@dataclass(frozen=True)
class ChangeRow:
    """One change of the respondent's disposition."""

    at: datetime
    old: str
    new: str


@dataclass(frozen=True)
class CallDetail:
    """Everything that the call page shows of one respondent."""

    respondent: RespondentRow
    campaign_id: str
    campaign_name: str
    close_reason: str
    incident: SealedIncident
    case: CaseRow | None
    attempts: tuple[AttemptRow, ...]
    answers: tuple[AnswerRow, ...]
    recordings: tuple[RecordingRow, ...]
    changes: tuple[ChangeRow, ...]


def respondents(session: Session, campaign_id: str, disposition: str | None, page: int, inspection: bool) -> Paged:
    """One page of a campaign's respondents in order of the draw, all or those with a disposition. Raises NotFound."""
    campaign = session.scalars(select(Campaign.id).where(Campaign.public_id == campaign_id)).one_or_none()
    if campaign is None:
        raise NotFound
    condition = [Respondent.campaign_id == campaign, *visible_respondents(inspection)]
    if disposition is not None:
        condition.append(Respondent.disposition == disposition)
    total = session.scalar(select(func.count(Respondent.id)).where(*condition)) or 0
    number = within(page, total)
    statement = _respondent_statement().where(*condition).order_by(Respondent.position).offset((number - 1) * PAGE).limit(PAGE)
    return Paged([_respondent_row(*row) for row in session.execute(statement)], number, total)


def dispositions_of(session: Session, campaign_id: str) -> list[tuple[str, int]]:
    """How many of a campaign's respondents have which disposition, in the order of the code table."""
    statement = select(Respondent.disposition, func.count()).join(Campaign).where(Campaign.public_id == campaign_id)
    counts = dict(session.execute(statement.group_by(Respondent.disposition)).all())
    return [(one.word, counts[one.word]) for one in Disposition if one.word in counts]


def call_detail(session: Session, public_id: str, inspection: bool) -> CallDetail:
    """Everything about one respondent. Raises NotFound, also for what the visitor may not know of."""
    statement = _respondent_statement().where(Respondent.public_id == public_id, *visible_respondents(inspection))
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    respondent: Respondent = row[0]
    return CallDetail(
        _respondent_row(*row), respondent.campaign.public_id, respondent.campaign.name, respondent.close_reason,
        _incident(respondent.incident), case_of(session, respondent.id), _attempts(session, respondent.id),
        _answers(session, respondent.id), _recordings(session, respondent.id), _changes(session, respondent.id),
    )  # fmt: skip


def lock_respondent(session: Session, public_id: str, inspection: bool) -> Respondent:
    """The respondent's row, locked, for a use case to change. Raises NotFound, also for what the visitor may not know of."""
    found = session.scalars(
        select(Respondent).where(Respondent.public_id == public_id, *visible_respondents(inspection)).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def recording_owner(session: Session, public_id: str, inspection: bool) -> str:
    """The respondent whose words a recording holds. Raises NotFound, also for what the visitor may not know of."""
    statement = select(Respondent.public_id).join(Recording, Recording.respondent_id == Respondent.id)
    found = session.scalars(statement.where(Recording.public_id == public_id, *visible_respondents(inspection))).one_or_none()
    if found is None:
        raise NotFound
    return found


def _respondent_statement() -> Select[*tuple[Any, ...]]:
    last = select(func.max(CallAttempt.claimed_at)).where(CallAttempt.respondent_id == Respondent.id).scalar_subquery()
    return (
        select(Respondent, Incident.number, Unit.name, last)
        .join(Incident, Respondent.incident_id == Incident.id)
        .outerjoin(Unit, Respondent.unit_id == Unit.id)
    )


def _respondent_row(one: Respondent, incident: str, unit: str | None, last_at: datetime | None) -> RespondentRow:
    return RespondentRow(
        one.public_id, one.position, incident, unit, one.state, one.disposition, one.tries, last_at, one.due_at,
        one.booked_for, one.review_reason,
    )  # fmt: skip


def _incident(one: Incident) -> SealedIncident:
    return SealedIncident(
        one.public_id, one.number, one.category, one.call_type, one.occurred_at, one.arrived_at, one.closed_at, one.made_up,
        one.phone_sealed, one.reporter_sealed, one.officer_sealed, one.place_sealed,
    )  # fmt: skip


def _attempts(session: Session, respondent_id: int) -> tuple[AttemptRow, ...]:
    turns: dict[int, list[TurnRow]] = {}
    mine = select(CallAttempt.id).where(CallAttempt.respondent_id == respondent_id)
    for turn in session.scalars(select(Turn).where(Turn.attempt_id.in_(mine)).order_by(Turn.step)):
        turns.setdefault(turn.attempt_id, []).append(_turn(turn))
    attempts = session.scalars(select(CallAttempt).where(CallAttempt.respondent_id == respondent_id).order_by(CallAttempt.number))
    return tuple(
        AttemptRow(
            one.number, one.direction, one.purpose, one.status, one.disposition, one.answered_by, one.error, one.carrier_sid,
            one.requested_at, one.ringing_at, one.answered_at, one.ended_at, one.seconds, one.abandoned, tuple(turns.get(one.id, ())),
        )
        for one in attempts
    )  # fmt: skip


def _turn(turn: Turn) -> TurnRow:
    """What was said is the person's own words: only keys are shown, and of speech the code that was understood."""
    event = turn.event
    return TurnRow(turn.step, turn.at, str(event.get("event", "")), str(event.get("keys") or event.get("code") or ""), turn.node)


def _answers(session: Session, respondent_id: int) -> tuple[AnswerRow, ...]:
    rows = session.execute(
        select(Answer, CallAttempt.number, CallAttempt.carrier_sid, ScriptVersion.name, ScriptVersion.number)
        .join(CallAttempt, Answer.attempt_id == CallAttempt.id)
        .join(ScriptVersion, Answer.script_version_id == ScriptVersion.id)
        .where(Answer.respondent_id == respondent_id)
        .order_by(Answer.answered_at, Answer.id)
    )
    return tuple(
        AnswerRow(one.item, one.code, one.score, one.raw, one.mode, one.confidence, script, version, one.answered_at, number, sid)
        for one, number, sid, script, version in rows
    )


def _recordings(session: Session, respondent_id: int) -> tuple[RecordingRow, ...]:
    rows = session.execute(
        select(Recording, CallAttempt.number)
        .join(CallAttempt, Recording.attempt_id == CallAttempt.id)
        .where(Recording.respondent_id == respondent_id, Recording.state != "discarded")
        .order_by(Recording.id)
    )
    return tuple(
        RecordingRow(one.public_id, one.item, one.state, one.problem, one.seconds, one.announced_at, number) for one, number in rows
    )


def _changes(session: Session, respondent_id: int) -> tuple[ChangeRow, ...]:
    statement = select(DispositionChange).where(DispositionChange.respondent_id == respondent_id).order_by(DispositionChange.id)
    return tuple(ChangeRow(one.at, one.old, one.new) for one in session.scalars(statement))
