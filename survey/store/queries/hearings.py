"""What the console's pages on answers by voice ask of the database. Sound stays sealed, and is read only to be played."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from survey import hearing_figures as figures
from survey.errors import NotFound
from survey.store.models import Answer, CallAttempt, Campaign, Hearing, HearingReview, Respondent
from survey.store.queries.console_cases import PAGE, Paged, visible_respondents, within

NO_CHOICE = ("recorded", "none")
"""Codes of answers in the person's own words: no question that listens for one of several."""


@dataclass(frozen=True)
class Scope:
    """What the figures are of: a campaign by its public identity, or a month (YYYY-MM), or all; real or simulated calls (None: both)."""

    month: str | None = None
    campaign: str | None = None
    simulated: bool | None = None


@dataclass(frozen=True)
class Sought:
    """Which utterances are to be listened to; None: all."""

    item: str | None = None
    outcome: str | None = None
    language: str | None = None
    reviewed: bool | None = None


@dataclass(frozen=True)
class HearingRow:
    """An utterance with its sound kept; `found` is the code of the last review by `by`, if there is one (`by` is not empty)."""

    public_id: str
    case: str  # the respondent's public identity
    item: str
    language: str
    code: str | None
    confidence: float
    evidence: str
    outcome: str
    seconds: float
    at: datetime
    found: str | None
    by: str
    reviewed_at: datetime | None

    @property
    def is_wrong(self) -> bool:
        """Whether a person has heard something else in an answer that was accepted."""
        return bool(self.by) and self.outcome == "accepted" and self.found != self.code


@dataclass(frozen=True)
class CampaignChoice:
    """A campaign to choose."""

    public_id: str
    name: str
    month: str


@dataclass(frozen=True)
class Review:
    """One review of an utterance."""

    code: str | None
    by: str
    at: datetime


@dataclass(frozen=True)
class DayConfidence:
    """Accepted utterances of the day that began at `start`, and their mean confidence."""

    start: datetime
    n: int
    confidence: float


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────


def campaigns(session: Session) -> list[CampaignChoice]:
    """All campaigns, newest first."""
    rows = session.execute(select(Campaign.public_id, Campaign.name, Campaign.month).order_by(Campaign.month.desc(), Campaign.id.desc()))
    return [CampaignChoice(*row) for row in rows]


def counts(session: Session, scope: Scope, sure: float) -> figures.Counts:
    """Everything that the figures rest on; from the confidence `sure` on an utterance is certain."""
    certain = case((Hearing.confidence >= sure, 1), else_=0)
    return figures.Counts(
        _utterances(session, scope, certain), _latencies(session, scope), _answers(session, scope), _spoken(session, scope),
        _reviewed(session, scope, certain),
    )  # fmt: skip


def _within_scope(statement: Select[*tuple[Any, ...]], scope: Scope) -> Select[*tuple[Any, ...]]:
    """The same of the scope's campaigns alone; the statement is about Hearing or Answer and has joined CallAttempt."""
    wanted = (
        Campaign.month == scope.month if scope.month else None,
        Campaign.public_id == scope.campaign if scope.campaign else None,
        Campaign.simulated == scope.simulated if scope.simulated is not None else None,
    )
    return statement.join(Campaign, CallAttempt.campaign_id == Campaign.id).where(*(one for one in wanted if one is not None))


def _of_hearings(scope: Scope, *columns: Any) -> Select[*tuple[Any, ...]]:
    return _within_scope(select(*columns).select_from(Hearing).join(CallAttempt, Hearing.attempt_id == CallAttempt.id), scope)


def _utterances(session: Session, scope: Scope, certain: ColumnElement[int]) -> list[figures.Utterances]:
    columns = (Hearing.item, Hearing.outcome, certain.label("certain"), func.count(), func.sum(Hearing.confidence))
    rows = session.execute(_of_hearings(scope, *columns).group_by(Hearing.item, Hearing.outcome, "certain"))
    return [figures.Utterances(item, outcome, bool(sure), count, total) for item, outcome, sure, count, total in rows]


def _latencies(session: Session, scope: Scope) -> list[figures.Latency]:
    rows = session.execute(_of_hearings(scope, Hearing.item, Hearing.latency_ms, func.count()).group_by(Hearing.item, Hearing.latency_ms))
    return [figures.Latency(*row) for row in rows]


def _answers(session: Session, scope: Scope) -> list[figures.Answers]:
    statement = select(Answer.item, Answer.mode, func.count()).join(CallAttempt, Answer.attempt_id == CallAttempt.id)
    rows = session.execute(_within_scope(statement, scope).where(Answer.code.not_in(NO_CHOICE)).group_by(Answer.item, Answer.mode))
    return [figures.Answers(*row) for row in rows]


def _spoken(session: Session, scope: Scope) -> list[figures.Spoken]:
    said = _of_hearings(scope, Hearing.attempt_id, Hearing.item).distinct().subquery()
    by_key = and_(Answer.attempt_id == said.c.attempt_id, Answer.item == said.c.item, Answer.mode == "keys")
    statement = select(said.c.item, func.count(), func.count(Answer.id)).select_from(said).outerjoin(Answer, by_key)
    return [figures.Spoken(*row) for row in session.execute(statement.group_by(said.c.item))]


def _reviewed(session: Session, scope: Scope, certain: ColumnElement[int]) -> list[figures.Reviewed]:
    columns = (Hearing.item, Hearing.code, HearingReview.code, certain.label("certain"), func.count())
    last = _of_hearings(scope, *columns).join(HearingReview, HearingReview.id == _last_review())
    rows = session.execute(last.where(Hearing.outcome == "accepted").group_by(Hearing.item, Hearing.code, HearingReview.code, "certain"))
    return [figures.Reviewed(item, code, found, bool(sure), count) for item, code, found, sure, count in rows]


def _last_review() -> Any:
    return select(func.max(HearingReview.id)).where(HearingReview.hearing_id == Hearing.id).correlate(Hearing).scalar_subquery()


def last_heard(session: Session, scope: Scope) -> datetime | None:
    """When the last utterance was heard."""
    found: datetime | None = session.scalar(_of_hearings(scope, func.max(Hearing.at)))
    return found


def day_confidences(session: Session, scope: Scope, midnights: Sequence[datetime]) -> list[DayConfidence]:
    """Mean confidence of what was accepted between each two of the midnights, oldest first; days without are left out."""
    day = case(*((Hearing.at < end, literal(number)) for number, end in enumerate(midnights[1:])), else_=-1).label("day")
    accepted = (Hearing.outcome == "accepted", Hearing.at >= midnights[0], Hearing.at < midnights[-1])
    statement = _of_hearings(scope, day, func.count(), func.avg(Hearing.confidence)).where(*accepted)
    return [DayConfidence(midnights[row[0]], row[1], row[2]) for row in session.execute(statement.group_by("day").order_by("day"))]


# ── listening ────────────────────────────────────────────────────────────────────────────────────────


def choices(session: Session) -> tuple[list[str], list[str]]:
    """What the filters offer: items and languages (zh, en) of utterances whose sound is kept."""
    kept = select(Hearing.item, Hearing.language).where(Hearing.sound_sealed.is_not(None)).distinct()
    found = session.execute(kept).all()
    return sorted({item for item, _ in found}), sorted({language.partition("-")[0] for _, language in found})


def queue(session: Session, sought: Sought, page: int, inspection: bool) -> Paged:
    """One page of the utterances whose sound is kept, the least certain first."""
    wanted = [*_conditions(sought), *visible_respondents(inspection)]
    total = session.scalar(_joined(func.count(Hearing.id)).where(*wanted)) or 0
    number = within(page, total)
    statement = _rows().where(*wanted).order_by(Hearing.confidence, Hearing.id).offset((number - 1) * PAGE).limit(PAGE)
    return Paged([_row(row) for row in session.execute(statement)], number, total)


def next_in_queue(session: Session, sought: Sought, after: str | None, inspection: bool) -> str | None:
    """The utterance that comes after the given one, or else the first; None when there is no other."""
    wanted = _joined(Hearing.public_id).where(*_conditions(sought), *visible_respondents(inspection))
    wanted = wanted.order_by(Hearing.confidence, Hearing.id)
    last = session.execute(select(Hearing.confidence, Hearing.id).where(Hearing.public_id == after)).one_or_none() if after else None
    if last is not None:
        later = or_(Hearing.confidence > last.confidence, and_(Hearing.confidence == last.confidence, Hearing.id > last.id))
        found: str | None = session.scalar(wanted.where(later).limit(1))
        if found is not None:
            return found
    first: str | None = session.scalar(wanted.limit(1))
    return first


def row_of(session: Session, public_id: str, inspection: bool) -> HearingRow:
    """One utterance whose sound is kept. Raises NotFound, also for what the visitor may not know of (R35)."""
    mine = (Hearing.public_id == public_id, Hearing.sound_sealed.is_not(None), *visible_respondents(inspection))
    found = session.execute(_rows().where(*mine)).one_or_none()
    if found is None:
        raise NotFound
    return _row(found)


def hearing(session: Session, public_id: str, inspection: bool) -> Hearing:
    """The stored utterance, for a use case. Raises NotFound, also for what the visitor may not know of (R35)."""
    mine = (Hearing.public_id == public_id, *visible_respondents(inspection))
    found: Hearing | None = session.scalars(_joined(Hearing).where(*mine)).one_or_none()
    if found is None:
        raise NotFound
    return found


def reviews_of(session: Session, public_id: str) -> tuple[Review, ...]:
    """What people have heard in an utterance, the last one first."""
    statement = select(HearingReview).join(Hearing, HearingReview.hearing_id == Hearing.id).where(Hearing.public_id == public_id)
    return tuple(Review(one.code, one.by, one.at) for one in session.scalars(statement.order_by(HearingReview.id.desc())))


def _joined(*columns: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(*columns)
        .select_from(Hearing)
        .join(CallAttempt, Hearing.attempt_id == CallAttempt.id)
        .join(Respondent, CallAttempt.respondent_id == Respondent.id)
        .outerjoin(HearingReview, HearingReview.id == _last_review())
    )


def _rows() -> Select[*tuple[Any, ...]]:
    return _joined(
        Hearing.public_id, Respondent.public_id, Hearing.item, Hearing.language, Hearing.code, Hearing.confidence, Hearing.evidence,
        Hearing.outcome, Hearing.seconds, Hearing.at, HearingReview.code, HearingReview.by, HearingReview.at,
    )  # fmt: skip


def _row(row: Row[*tuple[Any, ...]]) -> HearingRow:
    public_id, person, item, language, code, confidence, evidence, outcome, seconds, at, found, by, reviewed_at = row
    return HearingRow(
        public_id, person, item, language, code, confidence, evidence, outcome, seconds, at, found, by or "", reviewed_at
    )  # fmt: skip


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    wanted = [
        Hearing.sound_sealed.is_not(None),
        Hearing.item == sought.item if sought.item else None,
        Hearing.outcome == sought.outcome if sought.outcome else None,
        or_(Hearing.language == sought.language, Hearing.language.startswith(f"{sought.language}-")) if sought.language else None,
        HearingReview.id.is_not(None) if sought.reviewed else None,
        HearingReview.id.is_(None) if sought.reviewed is False else None,
    ]
    return [one for one in wanted if one is not None]
