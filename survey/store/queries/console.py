"""What the console's home and campaign pages ask of the database. Reads only; each answer is a small frozen value."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from survey.disposition import Disposition
from survey.errors import NotFound
from survey.script import SURVEY
from survey.store.models import (
    CallAttempt,
    Campaign,
    Draw,
    Escalation,
    Incident,
    IncidentImport,
    RecallRound,
    Respondent,
    ScriptVersion,
    Unit,
)  # fmt: skip

MACHINES = ("machine", "fax")
BUCKETS = {"I": "complete", "P": "partial", "R": "refused", "NC": "non_contact", "UH": "non_contact", "UO": "non_contact",
           "O": "other", "NE": "not_eligible"}  # fmt: skip
"""Outcome class of a closed respondent → its column. Whoever is not closed is `left`, so the columns always add up."""


@dataclass(frozen=True)
class Tally:
    """How far the calling of some respondents has come.

    complete + partial + refused + non_contact + other + not_eligible + left = planned, at every moment. `called` were dialled
    at least once; of these, `reached` answered at least once as a person.
    """

    planned: int = 0
    called: int = 0
    reached: int = 0
    complete: int = 0
    partial: int = 0
    refused: int = 0
    non_contact: int = 0
    other: int = 0
    not_eligible: int = 0
    left: int = 0

    def __add__(self, more: "Tally") -> "Tally":
        return Tally(*(getattr(self, field.name) + getattr(more, field.name) for field in fields(Tally)))


@dataclass(frozen=True)
class UnitProgress:
    """One unit's row of the campaign page; `unit` is None for incidents without a unit."""

    unit: str | None
    tally: Tally


@dataclass(frozen=True)
class Dialled:
    """One attempt that was handed to the carrier: when, and whether anybody or anything answered."""

    at: datetime
    answered: bool


@dataclass(frozen=True)
class CampaignSummary:
    """A campaign as a row of the list."""

    public_id: str
    name: str
    month: str
    state: str
    state_reason: str
    simulated: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    planned: int
    closed: int
    kind: str = SURVEY


@dataclass(frozen=True)
class CampaignDetail:
    """A campaign with what it was launched with."""

    summary: CampaignSummary
    script_name: str
    script_number: int
    lines: int
    calls_per_second: float
    caller_id: str
    seed: int
    frame_digest: str
    live: int  # attempts that may ring or talk now
    replicates: int
    hourly_calls: int | None
    daily_calls: int | None
    spend_limit: float | None
    minute_price: float
    follows: tuple[str, str] | None = None  # of a campaign of second calls: public id and name of the survey


@dataclass(frozen=True)
class Imports:
    """Incidents of the month: how many, and when the last file came."""

    incidents: int
    last_at: datetime | None
    last_file: str | None


@dataclass(frozen=True)
class DrawFacts:
    """The month's sample."""

    drawn: int
    frame: int
    excluded: int
    at: datetime


@dataclass(frozen=True)
class ScriptFacts:
    """A published script version; `versions` counts all versions of this script."""

    name: str
    number: int
    language: str
    published_at: datetime
    published_by: str
    versions: int


@dataclass(frozen=True)
class Queue:
    """Open cases in the human queue, and those past their date."""

    open: int
    overdue: int


def month_bounds(month: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """First moment of the month `YYYY-MM` and of the next one, in the given zone. Raises ValueError for no such month."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    return first, (first + timedelta(days=32)).replace(day=1)


def months(session: Session) -> list[str]:
    """Months that have a draw or a campaign, newest first."""
    drawn = session.scalars(select(Draw.month).where(Draw.voided_at.is_(None)).distinct())
    worked = session.scalars(select(Campaign.month).distinct())
    return sorted({*drawn, *worked}, reverse=True)


def latest_incident_at(session: Session) -> datetime | None:
    """When the newest incident was closed."""
    return session.scalar(select(Incident.closed_at).order_by(Incident.closed_at.desc()).limit(1))


def imports(session: Session, start: datetime, end: datetime) -> Imports:
    """Incidents closed from `start` to before `end`, and the last import of any file."""
    count = session.scalar(select(func.count()).where(Incident.closed_at >= start, Incident.closed_at < end)) or 0
    last = session.scalars(select(IncidentImport).order_by(IncidentImport.id.desc()).limit(1)).first()
    return Imports(count, last.finished_at or last.started_at if last else None, last.file_name if last else None)


def draw_of(session: Session, month: str) -> DrawFacts | None:
    """The month's valid draw, the newest if several."""
    statement = select(Draw).where(Draw.month == month, Draw.voided_at.is_(None)).order_by(Draw.id.desc()).limit(1)
    draw = session.scalars(statement).first()
    if draw is None:
        return None
    drawn = sum(int(row.get("drawn", 0)) for row in draw.allocation)
    return DrawFacts(drawn or draw.size, draw.frame_count, draw.incident_count - draw.frame_count, draw.drawn_at)


def script_of(session: Session, campaign_public_id: str | None) -> ScriptFacts | None:
    """The version that the campaign has pinned; without a campaign the survey script published last."""
    published = select(ScriptVersion).where(ScriptVersion.kind == SURVEY)
    statement = published.order_by(ScriptVersion.published_at.desc(), ScriptVersion.id.desc()).limit(1)
    if campaign_public_id is not None:
        statement = select(ScriptVersion).join(Campaign).where(Campaign.public_id == campaign_public_id)
    version = session.scalars(statement).first()
    if version is None:
        return None
    versions = session.scalar(select(func.count()).where(ScriptVersion.name == version.name)) or 0
    return ScriptFacts(version.name, version.number, version.language, version.published_at, version.published_by, versions)


def campaigns(session: Session, month: str | None = None) -> list[CampaignSummary]:
    """All campaigns, newest first; of a month only its surveys."""
    closed = func.coalesce(func.sum(case((Respondent.state == "closed", 1), else_=0)), 0)
    statement = select(Campaign, func.count(Respondent.id), closed).outerjoin(Respondent).group_by(Campaign.id).order_by(Campaign.id.desc())
    if month is not None:
        statement = statement.where(Campaign.month == month, Campaign.kind == SURVEY)
    return [_summary(campaign, planned, done) for campaign, planned, done in session.execute(statement)]


def campaign(session: Session, public_id: str) -> CampaignDetail:
    """One campaign. Raises NotFound."""
    found = campaign_row(session, public_id)
    live = session.scalar(select(func.count()).where(CallAttempt.campaign_id == found.id, CallAttempt.live_key.is_not(None))) or 0
    states = dict(session.execute(
        select(Respondent.state, func.count()).where(Respondent.campaign_id == found.id).group_by(Respondent.state)
    ).all())  # fmt: skip
    version, draw = found.script_version, found.draw
    return CampaignDetail(
        _summary(found, sum(states.values()), states.get("closed", 0)), version.name, version.number, found.lines,
        found.calls_per_second, found.caller_id, draw.seed, draw.frame_digest, live, draw.replicates,
        found.hourly_calls, found.daily_calls, found.spend_limit, found.minute_price, _followed(session, found.id),
    )  # fmt: skip


def _followed(session: Session, campaign_id: int) -> tuple[str, str] | None:
    survey = select(Campaign.public_id, Campaign.name).join(RecallRound, RecallRound.follows_id == Campaign.id)
    found = session.execute(survey.where(RecallRound.campaign_id == campaign_id)).one_or_none()
    return (found.public_id, found.name) if found else None


def lock_campaign(session: Session, public_id: str) -> Campaign:
    """The campaign's row, locked until the transaction ends, for a use case to change. Raises NotFound."""
    found = session.scalars(select(Campaign).where(Campaign.public_id == public_id).with_for_update()).one_or_none()
    if found is None:
        raise NotFound
    return found


def progress(session: Session, public_id: str) -> list[UnitProgress]:
    """The campaign's progress per unit, by unit name; units without respondents do not appear. Raises NotFound."""
    found = campaign_row(session, public_id)
    called = func.sum(case((Respondent.tries > 0, 1), else_=0))
    rows = session.execute(
        select(Respondent.unit_id, Respondent.state, Respondent.disposition, func.count(), called)
        .where(Respondent.campaign_id == found.id)
        .group_by(Respondent.unit_id, Respondent.state, Respondent.disposition)
    ).all()
    reached = _reached(session, found.id)
    names = dict(session.execute(select(Unit.id, Unit.name)).all())
    tallies: dict[int | None, Tally] = {unit: Tally(reached=count) for unit, count in reached.items()}
    for unit, state, disposition, count, dialled in rows:
        tallies[unit] = tallies.get(unit, Tally()) + _tally(state, disposition, count, int(dialled))
    return sorted(
        (UnitProgress(names.get(unit) if unit is not None else None, tally) for unit, tally in tallies.items()),
        key=lambda row: (row.unit is None, row.unit or ""),
    )


def total(rows: Iterable[UnitProgress]) -> Tally:
    """The bureau's row: the sum over the units."""
    return sum((row.tally for row in rows), Tally())


def dialled(session: Session, public_id: str) -> list[Dialled]:
    """Every attempt of the campaign that was handed to the carrier. Raises NotFound."""
    found = campaign_row(session, public_id)
    rows = session.execute(
        select(CallAttempt.requested_at, CallAttempt.answered_at).where(
            CallAttempt.campaign_id == found.id, CallAttempt.requested_at.is_not(None)
        )
    )
    return [Dialled(at, answered_at is not None) for at, answered_at in rows if at is not None]


def queue(session: Session, now: datetime, month: str | None = None) -> Queue:
    """Open cases, of all campaigns or of those of one month, and how many are past their date."""
    late = func.coalesce(func.sum(case((Escalation.due_at < now, 1), else_=0)), 0)
    statement = select(func.count(Escalation.id), late).where(Escalation.state == "open")
    if month is not None:
        statement = statement.join(Respondent, Escalation.respondent_id == Respondent.id).join(Campaign).where(Campaign.month == month)
    opened, overdue = session.execute(statement).one()
    return Queue(opened, int(overdue))


def campaign_row(session: Session, public_id: str) -> Campaign:
    """The campaign itself, for those who ask the guards about it. Raises NotFound."""
    found = session.scalars(select(Campaign).where(Campaign.public_id == public_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def campaign_name(session: Session, public_id: str) -> str | None:
    """The name of a campaign; None when there is no such campaign."""
    return session.scalar(select(Campaign.name).where(Campaign.public_id == public_id))


def called_in(session: Session, attempt_id: int) -> str | None:
    """The public id of the respondent whom an attempt called; None when there is no such attempt."""
    return session.scalar(select(Respondent.public_id).join(CallAttempt).where(CallAttempt.id == attempt_id))


def _summary(campaign: Campaign, planned: int, closed: Any) -> CampaignSummary:
    return CampaignSummary(
        campaign.public_id, campaign.name, campaign.month, campaign.state, campaign.state_reason, campaign.simulated,
        campaign.created_at, campaign.started_at, campaign.finished_at, planned, int(closed), campaign.kind,
    )  # fmt: skip


def _reached(session: Session, campaign_id: int) -> dict[int | None, int]:
    by_person = CallAttempt.answered_at.is_not(None) & or_(CallAttempt.answered_by.is_(None), CallAttempt.answered_by.not_in(MACHINES))
    rows = session.execute(
        select(Respondent.unit_id, func.count(func.distinct(Respondent.id)))
        .join(CallAttempt, CallAttempt.respondent_id == Respondent.id)
        .where(Respondent.campaign_id == campaign_id, by_person)
        .group_by(Respondent.unit_id)
    )
    return dict(rows.all())


def _tally(state: str, disposition: str, count: int, called: int) -> Tally:
    bucket = BUCKETS[Disposition.from_word(disposition).outcome_class] if state == "closed" else "left"
    return Tally(planned=count, called=called, **{bucket: count})
