"""Use case: the month's sheet out of the tables. Reads only; the figures are made in `survey.report`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from survey.appeals import set_aside
from survey.bureau import Bureau
from survey.disposition import Disposition
from survey.errors import BadInput, NotFound
from survey.report import Earlier, Frame, Head, ScriptUsed, Sheet, build
from survey.scoring import Asked, CodeCount, ScoreSums, SetAside, Tally
from survey.script import SURVEY
from survey.store.models import Campaign, Draw
from survey.store.queries import appeals
from survey.store.queries import reporting as ask

ENDED = ("stopped", "finished")
NO_UNIT = "—"
MONTHS_BEFORE = 2


def build_sheet(session: Session, month: str, bureau: Bureau, now: datetime) -> Sheet:
    """The sheet of a month `YYYY-MM` over all its campaigns. Raises NotFound when there is none.

    Simulated campaigns are shown only when the month has no real one: they never mix, neither with
    those of earlier months (C38). While the campaigns of an earlier month go on, this sheet's figures change with them.
    """
    campaigns = ask.campaigns_of_month(session, month)
    chosen = _of_kind(campaigns, simulated=False) or campaigns
    if not campaigns:
        raise NotFound(f"{month} 没有回访任务 (no campaign in {month})")
    return _sheet(session, month, chosen, bureau, now, _past(session, month, chosen[0].simulated))


def build_campaign_sheet(session: Session, campaign: Campaign, bureau: Bureau, now: datetime) -> Sheet:
    """The sheet of one survey alone, without a look at other months. Raises BadInput for a campaign of second calls."""
    if campaign.kind != SURVEY:
        raise BadInput("回访复核任务没有考核表 / a campaign of second calls has no sheet", "campaign")
    return _sheet(session, campaign.month, [campaign], bureau, now, [])


def _of_kind(campaigns: Sequence[Campaign], simulated: bool) -> list[Campaign]:
    return [campaign for campaign in campaigns if campaign.simulated == simulated]


@dataclass(frozen=True)
class _PastMonth:
    month: str
    ago: int
    campaigns: Sequence[Campaign]


def _past(session: Session, month: str, simulated: bool) -> list[_PastMonth]:
    """The months before that have campaigns of the same kind, the latest first."""
    months = [(month_before(month, ago), ago) for ago in range(1, MONTHS_BEFORE + 1)]
    found = [_PastMonth(name, ago, _of_kind(ask.campaigns_of_month(session, name), simulated)) for name, ago in months]
    return [each for each in found if each.campaigns]


def month_before(month: str, ago: int) -> str:
    """The month `ago` months before `month`, both YYYY-MM."""
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 - ago, 12)
    return f"{year:04}-{number + 1:02}"


def _sheet(session: Session, month: str, campaigns: Sequence[Campaign], bureau: Bureau, now: datetime, past: Sequence[_PastMonth]) -> Sheet:
    ids = [campaign.id for campaign in campaigns]
    draw = campaigns[-1].draw
    audit_n, audit_digest = ask.audit_head(session)
    head = Head(
        month, bureau.name, bureau.name_en,
        tuple(campaign.name for campaign in campaigns),
        any(campaign.simulated for campaign in campaigns),
        any(campaign.state not in ENDED for each in (campaigns, *(one.campaigns for one in past)) for campaign in each),
        now.astimezone(bureau.tzinfo),
        tuple(ScriptUsed(each.name, each.number, each.digest) for each in ask.script_versions(session, ids)),
        audit_n, audit_digest,
    )  # fmt: skip
    earlier = [Earlier(each.month, each.ago, tuple(_tallies(session, each.campaigns))) for each in past]
    unscored, waiting = ask.unscored_answers(session, ids), appeals.appeals_waiting(session, ids)
    return build(head, _source(draw), _tallies(session, campaigns), unscored, earlier, waiting)


def _source(draw: Draw) -> Frame:
    exclusions = tuple(sorted((str(reason), int(count)) for reason, count in draw.exclusions.items()))
    return Frame(draw.incident_count, draw.frame_count, exclusions, draw.frame_digest, draw.seed)


def _tallies(session: Session, month: Sequence[Campaign]) -> list[Tally]:
    """One tally per unit of the draw or of a respondent. A unit is known to the draw by its code."""
    campaigns, draw = [campaign.id for campaign in month], month[-1].draw
    units = ask.units(session)
    names = {unit.id: unit.name for unit in units}
    codes = {unit.id: unit.code for unit in units}
    ids = {code: unit for unit, code in codes.items()}
    frames = {ids.get(part["unit"]): int(part["frame"]) for part in draw.allocation}
    counts: dict[int | None, Counter[Disposition]] = defaultdict(Counter)
    closed: Counter[int | None] = Counter()
    for each in ask.progress(session, campaigns):
        counts[each.unit_id][each.disposition] += each.count
        closed[each.unit_id] += each.closed
    answers: dict[int | None, list[CodeCount]] = defaultdict(list)
    for unit, count in ask.answers(session, campaigns):
        answers[unit].append(count)
    persons, cases = ask.interviewed(session, campaigns), ask.escalated(session, campaigns)
    nobody, asked = ask.Interviewed(ScoreSums(), 0), ask.asked(session, campaigns)
    aside = set_aside(appeals.answers_under_upheld_appeals(session, campaigns))
    return [
        Tally(
            names.get(unit, NO_UNIT) if unit is not None else NO_UNIT,
            frames.get(unit, 0), dict(counts[unit]), closed[unit], tuple(answers[unit]),
            persons.get(unit, nobody).sums, persons.get(unit, nobody).dissatisfied, cases.get(unit, 0),
            asked.get(unit, Asked()), codes.get(unit, "") if unit is not None else "", aside.get(unit, SetAside()),
        )
        for unit in {**frames, **counts}
    ]  # fmt: skip
